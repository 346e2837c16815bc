import type { TensorStore } from '../recording/binding.js';
import {
  TF_STRING,
  allocateArray,
  arrayFits,
  elementBytes,
  sizeOf,
  type TypedArray,
  type Values,
} from '../recording/data-types.js';
import { HOST_COPY, newValue, type Value } from '../recording/value.js';
import type { Client } from './client.js';
import { bufferType } from './program.js';

/** Executions under way before the next one has to wait. */
const IN_FLIGHT = 2;

/** Makes, reads and frees tensors in a device's memory; small ones from JavaScript get there when a program first needs them. */
export class Store implements TensorStore {
  readonly client: Client;
  readonly #underWay: number[] = [];

  constructor(client: Client) {
    this.client = client;
  }

  get version(): string {
    return this.client.platformVersion;
  }

  get isGpu(): boolean {
    return this.client.platform !== 'cpu';
  }

  /** Buffers that exist now. */
  get handles(): number {
    return this.client.buffers;
  }

  fromHost(dtype: number, shape: readonly number[], values: Values): Value {
    const value = newValue(dtype, [...shape], 0);
    const size = sizeOf(shape);
    if (dtype === TF_STRING) {
      value.host = values;
      return value;
    }
    const array = values as TypedArray;
    const bytes = size * elementBytes(dtype);
    if (!arrayFits(dtype, array) || array.byteLength !== bytes)
      throw new Error(
        `A tensor of shape [${shape.join(', ')}] and TensorFlow type ${dtype} needs ${bytes} bytes of its own kind, ` +
          `got ${array.constructor.name} of ${array.byteLength} bytes.`,
      );
    if (size <= HOST_COPY) value.host = array.slice();
    else value.handle = this.client.upload(bufferType(dtype), shape, array);
    return value;
  }

  /** The buffer of a value; makes it if there is none. */
  handleOf(value: Value): number {
    if (value.handle !== 0) return value.handle;
    if (value.source !== undefined) value.source.resolve(value);
    else if (value.host !== undefined)
      value.handle = this.client.upload(bufferType(value.dtype), value.shape, value.host as TypedArray);
    if (value.handle === 0) throw new Error('A tensor of the engine is used after it was disposed.');
    return value.handle;
  }

  read(value: Value): Values {
    if (value.host !== undefined) return value.host.slice();
    const handle = this.handleOf(value);
    const target = arrayFor(value);
    this.client.download(handle, target);
    return target;
  }

  async readAsync(value: Value): Promise<Values> {
    if (value.host !== undefined) return value.host.slice();
    const handle = this.handleOf(value);
    const target = arrayFor(value);
    await this.client.downloadAsync(handle, target);
    return target;
  }

  /** Takes notice of an execution; waits while too many are under way. */
  started(event: number): void {
    this.#underWay.push(event);
    if (this.#underWay.length <= IN_FLIGHT) return;
    try {
      this.client.await(this.#underWay.shift()!);
    } catch {
      // Its results say so when they are used.
    }
  }

  release(value: Value): void {
    value.alive = false;
    value.source?.release(value);
    if (value.handle === 0) return;
    this.client.destroy(value.handle);
    value.handle = 0;
  }
}

const arrayFor = ({ dtype, shape }: Value): TypedArray =>
  allocateArray(dtype, sizeOf(shape) * elementBytes(dtype));
