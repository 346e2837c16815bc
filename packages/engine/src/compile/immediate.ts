import type { Attribute } from '../recording/attribute.js';
import type { Executor } from '../recording/binding.js';
import type { Runtime } from '../libtensorflow/values.js';
import type { Value } from '../recording/value.js';
import { tensorflowPlatform } from './platform.js';
import { runKernel } from './graph-operations.js';
import type { Kernel } from '../recording/kernel.js';
import { StepRecorder } from '../recording/recorder.js';

/** Runs every operation at once; kernels that gain by it as a small compiled function, one for each combination of shapes. */
export class Immediate implements Executor {
  readonly #runtime: Runtime;
  readonly #fused: StepRecorder;

  /** `kernels` is the number of compiled kernels to keep at most. */
  constructor(runtime: Runtime, kernels: number) {
    this.#runtime = runtime;
    const single: Executor = {
      execute: (name, attributes, inputs, outputs) => runtime.execute(name, attributes, inputs, outputs),
      executeKernel: (kernel, attributes, inputs) => runKernel(runtime, kernel, inputs, attributes),
      dispose: (value) => {
        runtime.release(value);
      },
    };
    this.#fused = new StepRecorder(tensorflowPlatform(runtime), {
      limit: kernels,
      background: false,
      immediate: single,
      install: () => undefined,
    });
  }

  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    return this.#runtime.execute(name, attributes, inputs, outputs);
  }

  executeKernel(
    kernel: Kernel,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    if (kernel.fuse !== true) return runKernel(this.#runtime, kernel, inputs, attributes);
    return this.#fused.record(() => this.#fused.executeKernel(kernel, attributes, inputs, outputs));
  }

  dispose(value: Value): void {
    this.#runtime.release(value);
  }

  /** Takes notice that the context, and every compiled function with it, is gone. */
  forget(): void {
    this.#fused.forget();
  }
}
