import type { Kernel } from './kernel.js';
import type { Attribute } from './attribute.js';
import * as types from './data-types.js';
import type { Values } from './data-types.js';
import type { Value } from './value.js';

/** What the addon of tfjs-node calls a tensor's description. */
export interface TensorMetadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** What keeps the tensors of an engine. */
export interface TensorStore {
  /** Of the library below. */
  readonly version: string;
  readonly isGpu: boolean;
  fromHost(dtype: number, shape: readonly number[], values: Values): Value;
  read(value: Value): Values;
  readAsync(value: Value): Promise<Values>;
}

/** Runs operations: at once, or by recording them. */
export interface Executor {
  execute(name: string, attributes: readonly Attribute[], inputs: readonly Value[], outputs: number): Value[];
  executeKernel(
    kernel: Kernel,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[];
  /** Takes notice that tfjs has no more use for a value. */
  dispose(value: Value): void;
}

/** Runs an operation, or a kernel if there is one. */
export function runOn(
  executor: Executor,
  name: string,
  kernel: Kernel | undefined,
  attributes: readonly Attribute[],
  inputs: readonly Value[],
  outputs: number,
): Value[] {
  if (kernel === undefined) return executor.execute(name, attributes, inputs, outputs);
  return executor.executeKernel(kernel, attributes, inputs, outputs);
}

/**
 * The interface of tfjs-node's native addon (its `TFJSBinding`), so that tfjs-node's kernels run on an engine
 * unmodified. Tensors go by numbers, which are never used twice.
 */
export class Binding<S extends TensorStore = TensorStore> {
  readonly runtime: S;
  /** Where operations go; a step recorder puts itself here while it records. */
  executor: Executor;
  readonly #values = new Map<number, Value>();
  #next = 0;

  readonly TF_FLOAT: number = types.TF_FLOAT;
  readonly TF_INT32: number = types.TF_INT32;
  readonly TF_INT64: number = types.TF_INT64;
  readonly TF_BOOL: number = types.TF_BOOL;
  readonly TF_COMPLEX64: number = types.TF_COMPLEX64;
  readonly TF_STRING: number = types.TF_STRING;
  readonly TF_RESOURCE: number = types.TF_RESOURCE;
  readonly TF_UINT8: number = types.TF_UINT8;
  readonly TF_ATTR_STRING: number = types.TF_ATTR_STRING;
  readonly TF_ATTR_INT: number = types.TF_ATTR_INT;
  readonly TF_ATTR_FLOAT: number = types.TF_ATTR_FLOAT;
  readonly TF_ATTR_BOOL: number = types.TF_ATTR_BOOL;
  readonly TF_ATTR_TYPE: number = types.TF_ATTR_TYPE;
  readonly TF_ATTR_SHAPE: number = types.TF_ATTR_SHAPE;
  readonly TF_ATTR_RESOURCE: number = types.TF_RESOURCE;
  readonly TF_Version: string;

  constructor(runtime: S, executor: Executor) {
    this.runtime = runtime;
    this.executor = executor;
    this.TF_Version = runtime.version;
  }

  createTensor(shape: readonly number[], dtype: number, values: Values): number {
    return this.add(this.runtime.fromHost(dtype, shape, values));
  }

  deleteTensor(id: number): void {
    const value = this.#lookUp(id);
    this.#values.delete(id);
    this.executor.dispose(value);
  }

  tensorDataSync(id: number): Values {
    return this.runtime.read(this.#lookUp(id));
  }

  tensorData(id: number): Promise<Values> {
    return this.runtime.readAsync(this.#lookUp(id));
  }

  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[] {
    const values = new Array<Value>(inputs.length);
    for (let i = 0; i < inputs.length; i++) values[i] = this.#lookUp(inputs[i]!);
    return this.#describeAll(this.executor.execute(name, attributes, values, outputs));
  }

  /** Runs a kernel of several operations like one. */
  executeKernel(
    kernel: Kernel,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): TensorMetadata[] {
    const values = inputs.map((id) => this.#lookUp(id));
    return this.#describeAll(this.executor.executeKernel(kernel, attributes, values, outputs));
  }

  #describeAll(results: readonly Value[]): TensorMetadata[] {
    const metadata = new Array<TensorMetadata>(results.length);
    for (let i = 0; i < results.length; i++) metadata[i] = this.describe(results[i]!);
    return metadata;
  }

  /** Gives a value a number. */
  add(value: Value): number {
    this.#values.set(this.#next, value);
    return this.#next++;
  }

  /** Gives a value a number and describes it as the addon does; the shape is the caller's own. */
  describe(value: Value): TensorMetadata {
    return { id: this.add(value), shape: value.shape.slice(), dtype: value.dtype };
  }

  /** The value behind a number. */
  value(id: number): Value {
    return this.#lookUp(id);
  }

  /** All values that tfjs has. */
  values(): Iterable<Value> {
    return this.#values.values();
  }

  #lookUp(id: number): Value {
    const value = this.#values.get(id);
    if (value === undefined)
      throw new Error(
        `The native engine has no tensor number ${id}: it was disposed, or belongs to another backend.`,
      );
    return value;
  }

  getNumOfTensors(): number {
    return this.#values.size;
  }

  isUsingGpuDevice(): boolean {
    return this.runtime.isGpu;
  }

  getNumOfSavedModels(): number {
    return 0;
  }

  loadSavedModel(): never {
    throw noSavedModels();
  }

  deleteSavedModel(): never {
    throw noSavedModels();
  }

  runSavedModel(): never {
    throw noSavedModels();
  }
}

function noSavedModels(): Error {
  return new Error(
    'The native engine does not run TensorFlow SavedModels. Convert the model to a tfjs layers or graph model, or use tfjs-node.',
  );
}
