import type { Attribute } from '../recording/attribute.js';
import { setAttributes } from './attributes.js';
import { cName } from '../recording/data-types.js';
import { shapeOf } from './handles.js';
import type { Library } from './library.js';
import { SignalShield } from './signals.js';

/** An output of an operation. */
export interface Result {
  readonly handle: number;
  readonly dtype: number;
  readonly shape: number[];
}

/** Functions that an executor has under way before the next one has to wait. */
const IN_FLIGHT = 2;

/** Executors in the background: one for what overwrites state and has to keep its order, one beside it. */
const EXECUTORS = 2;

/** ConfigProto bytes that hide every GPU. */
const NO_GPU = Uint8Array.of(0x0a, 0x07, 0x0a, 0x03, 0x47, 0x50, 0x55, 0x10, 0x00);

/** TensorFlow's eager context on one device: runs one operation at a time. */
export class Context {
  readonly library: Library;
  #pointer = 0;
  /** Contexts that were replaced, until nothing of them is being read any more. */
  readonly #replaced: number[] = [];
  readonly #shield = new SignalShield();
  /** Each runs functions in the background, one after the other. */
  readonly #background: readonly number[];
  /** The one that took the last function which may run on any. */
  #last = 0;
  #foreground = 0;
  readonly #outputs = new BigUint64Array(256);
  readonly #count = new Int32Array(1);

  constructor(library: Library) {
    this.library = library;
    this.#shield.raise();
    this.#background = Array.from({ length: EXECUTORS }, () =>
      library.symbols.TFE_NewExecutor(1, 1, IN_FLIGHT),
    );
    this.#shield.lower();
    this.#start();
  }

  #start(): void {
    const { symbols: s, status } = this.library;
    const options = s.TFE_NewContextOptions();
    s.TFE_ContextOptionsSetConfig(options, NO_GPU, NO_GPU.length, status);
    this.library.check('Setting the options of TensorFlow');
    this.#shield.raise();
    this.#pointer = s.TFE_NewContext(options, status);
    this.#shield.lower();
    s.TFE_DeleteContextOptions(options);
    this.library.check('Starting TensorFlow');
    this.#foreground = s.TFE_ContextGetExecutorForThread(this.#pointer);
  }

  /** TFE_Context. */
  get pointer(): number {
    return this.#pointer;
  }

  /** A new context in the place of this one: TensorFlow gives the programs it compiled back with the context alone. */
  renew(): void {
    this.#replaced.push(this.#pointer);
    this.library.symbols.TFE_DeleteExecutor(this.#foreground);
    this.#start();
  }

  /** Gives replaced contexts back; no handle may be of them any more. */
  deleteReplaced(): void {
    for (const pointer of this.#replaced.splice(0)) this.library.symbols.TFE_DeleteContext(pointer);
  }

  /** Makes a TF_Function known: its name can be run like an operation, and called by other functions. */
  addFunction(definition: number): void {
    const { symbols: s, status } = this.library;
    s.TFE_ContextAddFunction(this.pointer, definition, status);
    this.library.check('Adding a function');
  }

  /** Runs an operation or a function on handles; the caller owns the handles of the results. */
  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): Result[] {
    const { symbols: s } = this.library;
    return this.executeHandles(name, attributes, inputs, outputs).map((handle) => ({
      handle,
      dtype: s.TFE_TensorHandleDataType(handle),
      shape: shapeOf(this.library, handle),
    }));
  }

  /** The same, where the caller knows the types and shapes. */
  executeHandles(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): number[] {
    const { library } = this;
    const { symbols: s, status } = library;
    const operation = s.TFE_NewOp(this.pointer, cName(name), status);
    if (operation === 0) library.check(`Operation ${name}`);
    const results = outputs <= this.#outputs.length ? this.#outputs : new BigUint64Array(outputs);
    try {
      for (const input of inputs) s.TFE_OpAddInput(operation, input, status);
      setAttributes(library, 'eager', operation, attributes);
      this.#count[0] = outputs;
      this.#shield.raise();
      s.TFE_Execute(operation, results, this.#count, status);
      this.#shield.lower();
      library.check(`Operation ${name}`);
    } finally {
      s.TFE_DeleteOp(operation);
    }
    const handles = new Array<number>(this.#count[0]);
    for (let i = 0; i < handles.length; i++) handles[i] = Number(results[i]);
    return handles;
  }

  /**
   * The same in the background: the handles' values follow, an error comes up when one is read or at `settle`. One that
   * `overwrites` nothing may run beside others: what it computes with only half of the cores leaves the rest to them.
   */
  executeLater(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
    overwrites: boolean,
  ): number[] {
    const { symbols: s } = this.library;
    const place = overwrites ? 0 : (this.#last = (this.#last + 1) % EXECUTORS);
    s.TFE_ContextSetExecutorForThread(this.pointer, this.#background[place]!);
    try {
      return this.executeHandles(name, attributes, inputs, outputs);
    } finally {
      s.TFE_ContextSetExecutorForThread(this.pointer, this.#foreground);
    }
  }

  /** Waits for what runs in the background; throws its error. */
  settle(): void {
    const { symbols: s, status } = this.library;
    for (const executor of this.#background) {
      s.TFE_ExecutorWaitForAllPendingNodes(executor, status);
      if (s.TF_GetCode(status) !== 0) s.TFE_ExecutorClearError(executor);
      this.library.check('A compiled step');
    }
  }
}
