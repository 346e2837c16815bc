import type { Attribute } from '../recording/attribute.js';
import { Context } from './context.js';
import { returnFreedMemory } from './freed-memory.js';
import {
  TF_ATTR_TYPE,
  TF_BFLOAT16,
  TF_STRING,
  sizeOf,
  type TypedArray,
  type Values,
} from '../recording/data-types.js';
import { createHandle, isNumeric, moveHandle, readHandle, readHandleAsync } from './handles.js';
import type { TensorStore } from '../recording/binding.js';
import { HOST_COPY, newValue, type Value } from '../recording/value.js';
import type { Library } from './library.js';
import { compilesBfloat16 } from './processor.js';

/** Makes, reads and frees the engine's tensors, and runs operations on them at once. */
export class Runtime implements TensorStore {
  readonly library: Library;
  readonly context: Context;
  /** Handles that exist now. */
  handles = 0;
  /** How often functions of each name were made in the present context. */
  readonly functionNames: Map<string, number> = new Map<string, number>();
  /** Whether XLA multiplies in bfloat16 as fast as TensorFlow itself. */
  compilesBfloat16 = compilesBfloat16();
  /** What steps handed out, which may still be computed. */
  readonly stepResults = new WeakSet<Value>();
  /** Reads that are under way. */
  #reading = 0;

  constructor(library: Library) {
    this.library = library;
    this.context = new Context(library);
  }

  get version(): string {
    return this.library.version;
  }

  readonly isGpu = false;

  /** A value from a JavaScript array, copied; the handle is made when an operation first needs it. */
  fromHost(dtype: number, shape: readonly number[], values: Values): Value {
    const value = newValue(dtype, [...shape], 0);
    if (isNumeric(dtype) && sizeOf(shape) <= HOST_COPY) value.host = (values as TypedArray).slice();
    else {
      value.handle = this.#createHandle(value, values);
      this.handles++;
    }
    return value;
  }

  /** A value from the handle of a result. */
  fromHandle(handle: number, dtype: number, shape: number[]): Value {
    this.handles++;
    return newValue(dtype, shape, handle);
  }

  /** The handle of a value; makes it if there is none. */
  handleOf(value: Value): number {
    if (value.handle !== 0) return value.handle;
    if (value.source !== undefined) value.source.resolve(value);
    else if (value.host !== undefined) {
      value.handle = this.#createHandle(value, value.host);
      this.handles++;
    } else throw new Error('A tensor of the native engine is used after it was disposed.');
    return value.handle;
  }

  /** The handle of a value rounded to bfloat16, made once and kept as long as the value. */
  roundedHandleOf(value: Value): number {
    if (value.rounded === 0) {
      const type = { name: 'DstT', type: TF_ATTR_TYPE, value: TF_BFLOAT16 };
      value.rounded = this.context.executeHandles('Cast', [type], [this.handleOf(value)], 1)[0]!;
      this.handles++;
    }
    return value.rounded;
  }

  #createHandle(value: Value, values: Values): number {
    return createHandle(this.library, value.dtype, value.shape, values);
  }

  /** Runs one operation now. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    const handles = inputs.map((input) => this.handleOf(input));
    return this.context
      .execute(name, attributes, handles, outputs)
      .map((r) => this.fromHandle(r.handle, r.dtype, r.shape));
  }

  read(value: Value): Values {
    if (value.host !== undefined) return (value.host as TypedArray).slice();
    return readHandle(this.library, this.handleOf(value), value.dtype);
  }

  async readAsync(value: Value): Promise<Values> {
    if (value.host !== undefined) return (value.host as TypedArray).slice();
    const handle = this.handleOf(value);
    this.#reading++;
    try {
      return await readHandleAsync(this.library, handle, value.dtype);
    } finally {
      if (--this.#reading === 0) this.context.deleteReplaced();
    }
  }

  /**
   * Starts TensorFlow's context anew, without anything it has compiled. `values` are all that live on: they keep their
   * memory. Functions have to be made again, and their names are free.
   */
  renew(values: Iterable<Value>): void {
    const { symbols: s, status } = this.library;
    this.context.settle();
    const moves: (() => void)[] = [];
    for (const value of new Set(values)) {
      const { source } = value;
      if (source?.holdsValue) {
        // What was read already has its handle.
        if (value.handle === 0) source.resolve(value);
        source.release(value);
      }
      if (value.handle === 0) continue;
      if (value.dtype === TF_STRING) {
        const strings = readHandle(this.library, value.handle, TF_STRING);
        this.dropHandle(value);
        moves.push(() => (value.handle = this.#createHandle(value, strings)));
      } else {
        const tensor = s.TFE_TensorHandleResolve(value.handle, status);
        this.library.check('Moving a tensor');
        this.dropHandle(value);
        moves.push(() => (value.handle = moveHandle(this.library, tensor)));
      }
    }
    this.context.renew();
    if (this.#reading === 0) this.context.deleteReplaced();
    returnFreedMemory();
    this.functionNames.clear();
    for (const move of moves) move();
    this.handles += moves.length;
  }

  /** Frees what a value holds. */
  release(value: Value): void {
    value.alive = false;
    value.source?.release(value);
    this.dropHandle(value);
  }

  dropHandle(value: Value): void {
    for (const handle of [value.handle, value.rounded]) {
      if (handle === 0) continue;
      this.library.symbols.TFE_DeleteTensorHandle(handle);
      this.handles--;
    }
    value.handle = 0;
    value.rounded = 0;
  }
}
