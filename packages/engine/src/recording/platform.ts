import type { Attribute } from './attribute.js';
import type { Values } from './data-types.js';
import type { Demand } from './demand.js';
import type { Kernel } from './kernel.js';
import type { StepMode } from './recorder-setting.js';
import type { Recording } from './recording.js';
import type { Value } from './value.js';

/** An output of an operation that was written down, with what is known of it: null where the shape depends on data. */
export interface Node {
  /** The operation. */
  readonly oper: number;
  readonly index: number;
  readonly dtype: number;
  readonly shape: number[] | null;
}

/** Where operations are written as they are recorded. */
export interface RecordedGraph {
  /** What the names of the next operations start with. */
  scope: string;
  add(name: string, attributes: readonly Attribute[], inputs: readonly Node[], outputs: number): Node[];
  addKernel(kernel: Kernel, inputs: readonly Node[], attributes: readonly Attribute[]): Node[];
  constant(dtype: number, shape: readonly number[], values: Values): Node;
  /** A value from outside. */
  placeholder(dtype: number, shape: readonly number[]): Node;
  delete(): void;
}

/** A recorded step as the engine runs it. */
export interface CompiledStep {
  runs: number;
  /** Whether this function does what another recording of the same operations needs. */
  fits(demand: Demand, mode: StepMode): boolean;
  /** Runs the step, in the background if it may: gives every live result what it is. */
  run(recording: Recording, demand: Demand, background: boolean): void;
  /** Gives it back, where the engine does that one by one. */
  delete?(): void;
}

/** What an engine does for the recorder. */
export interface Platform<G extends RecordedGraph = RecordedGraph> {
  newGraph(): G;
  /** An engine that cannot run a step uncompiled compiles it. */
  compile(graph: G, recording: Recording, demand: Demand, mode: StepMode): CompiledStep;
  /** Frees what a value holds. */
  release(value: Value): void;
  /** The operations that an error names as such that the compiler does not take. */
  refusedOperations(message: string): string[];
}
