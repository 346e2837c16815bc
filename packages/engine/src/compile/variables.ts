import { TF_ATTR_SHAPE, TF_ATTR_STRING, TF_ATTR_TYPE } from '../recording/data-types.js';
import type { Runtime } from '../libtensorflow/values.js';
import type { Source, Value } from '../recording/value.js';
import type { Attribute } from '../recording/attribute.js';

/** The name by which TensorFlow makes a resource that lives as long as its handle. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** Memory inside the engine that functions read and overwrite in place. It holds one value. */
export class Variable implements Source {
  readonly holdsValue = true;
  /** Handle of the resource. */
  readonly handle: number;
  readonly #runtime: Runtime;
  readonly #type: Attribute;

  /** A new variable with the value's content; the value lives here from now on if `adopt` is set. */
  constructor(runtime: Runtime, value: Value, adopt: boolean) {
    this.#runtime = runtime;
    this.#type = { name: 'dtype', type: TF_ATTR_TYPE, value: value.dtype };
    const { context } = runtime;
    const content = runtime.handleOf(value);
    this.handle = context.executeHandles(
      'VarHandleOp',
      [
        this.#type,
        { name: 'shape', type: TF_ATTR_SHAPE, value: value.shape },
        { name: 'shared_name', type: TF_ATTR_STRING, value: ANONYMOUS },
      ],
      [],
      1,
    )[0]!;
    runtime.handles++;
    context.executeHandles('AssignVariableOp', [this.#type], [this.handle, content], 0);
    if (!adopt) return;
    runtime.dropHandle(value);
    value.host = undefined;
    value.source = this;
  }

  resolve(value: Value): void {
    this.#runtime.context.settle();
    value.handle = this.#runtime.context.executeHandles('ReadVariableOp', [this.#type], [this.handle], 1)[0]!;
    this.#runtime.handles++;
  }

  release(value: Value): void {
    value.source = undefined;
    this.#runtime.library.symbols.TFE_DeleteTensorHandle(this.handle);
    this.#runtime.handles--;
  }
}
