import type { Platform } from '../recording/platform.js';
import type { Runtime } from '../libtensorflow/values.js';
import { Graph } from './graph.js';
import { refusedOperations } from './refusal.js';
import { StepFunction } from './step-function.js';

/** TensorFlow for the recorder: steps become its functions. */
export const tensorflowPlatform = (runtime: Runtime): Platform<Graph> => ({
  newGraph: () => new Graph(runtime.context),
  compile: (graph, recording, demand, mode) => new StepFunction(runtime, graph, recording, demand, mode),
  release: (value) => {
    runtime.release(value);
  },
  refusedOperations,
});
