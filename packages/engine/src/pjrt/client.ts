import { existsSync } from 'node:fs';
import koffi, { type LibraryHandle } from 'koffi';
import { leaveThroughReallyExit } from '../libtensorflow/exit.js';
import { configureKoffi } from '../libtensorflow/library.js';
import { SignalShield } from '../libtensorflow/signals.js';
import { compileOptions, type CompilerSettings } from './compile-options.js';
import { Interface, PjrtError, structure, words } from './interface.js';

/** A setting of a plugin's client, as `preallocate`. */
export type ClientOption = string | number | boolean | readonly number[];

/** The interface's element types. */
export const BUFFER_TYPES = { i1: 1, i32: 4, i64: 5, ui8: 6, ui32: 8, f32: 11, bf16: 13, c64: 14 } as const;
export type BufferType = keyof typeof BUFFER_TYPES;

/** Memory of the device, in bytes; undefined where the plugin does not say. */
export interface DeviceMemory {
  readonly inUse: number;
  readonly peak: number | undefined;
  readonly limit: number | undefined;
}

/** By path; koffi unloads a library of which nothing is left in JavaScript. */
const opened = new Map<string, { readonly plugin: Interface; readonly library: LibraryHandle }>();

/** Opens a plugin, once per process and path. Throws if it is missing, no PJRT plugin, or of another version. */
function openPlugin(path: string): Interface {
  const known = opened.get(path);
  if (known !== undefined) return known.plugin;
  if (!existsSync(path))
    throw new Error(`There is no PJRT plugin at ${path}. Give the path of its shared library.`);
  configureKoffi();
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  let library: LibraryHandle;
  let table: () => number;
  try {
    library = koffi.load(path);
    table = library.func('GetPjrtApi', 'uintptr_t', []) as () => number;
  } catch (error) {
    throw new Error(
      `${path} cannot be loaded as a PJRT plugin on ${process.platform}-${process.arch}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const plugin = new Interface(table(), path);
  leaveThroughReallyExit();
  plugin.call('Plugin_Initialize', {});
  opened.set(path, { plugin, library });
  return plugin;
}

/** A plugin's client with its first device: programs, buffers and their execution, by the plugin's own pointers. */
export class Client {
  readonly plugin: Interface;
  readonly path: string;
  /** As `cpu` or `cuda`. */
  readonly platform: string;
  readonly platformVersion: string;
  /** As `NVIDIA H100 80GB HBM3`. */
  readonly deviceKind: string;
  readonly devices: number;
  readonly #client: number;
  readonly #device: number;
  readonly #shield: SignalShield;
  /** Compiler settings that the plugin does not know. */
  readonly #unknown = new Set<string>();
  /** Buffers that exist now. */
  buffers = 0;

  /** Throws PjrtError with the plugin's text if it has no device, or not as the options want it. */
  constructor(path: string, options: Readonly<Record<string, ClientOption>> = {}) {
    this.path = path;
    const plugin = (this.plugin = openPlugin(path));
    this.#shield = new SignalShield();
    const named = namedValues(plugin, options);
    this.#shield.raise();
    try {
      this.#client = plugin.call('Client_Create', { options: named.block, count: named.count }).client;
      named.held.length = 0;
    } finally {
      this.#shield.lower();
    }
    const name = plugin.call('Client_PlatformName', { client: this.#client });
    this.platform = plugin.text(name.name, name.size).toLowerCase();
    const version = plugin.call('Client_PlatformVersion', { client: this.#client });
    this.platformVersion = plugin.text(version.version, version.size);
    const { devices, count } = plugin.call('Client_AddressableDevices', { client: this.#client });
    if (count === 0) throw new Error(`The PJRT plugin ${path} finds no device.`);
    this.devices = count;
    this.#device = plugin.pointers(devices, 1)[0]!;
    const { description } = plugin.call('Device_GetDescription', { device: this.#device });
    const kind = plugin.call('DeviceDescription_Kind', { description });
    this.deviceKind = plugin.text(kind.kind, kind.size);
  }

  /** Does what may need memory of the device. */
  #within<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** What a call threw; where the device has no more memory, with what it has and what to do. */
  #explained(error: unknown): unknown {
    if (!(error instanceof PjrtError) || error.code !== 'resource exhausted') return error;
    const { inUse, limit } = this.memory() ?? {};
    const has =
      limit === undefined ? '' : ` The engine may have ${gigabytes(limit)}; ${gigabytes(inUse!)} are in use.`;
    return new PjrtError(
      `The device (${this.deviceKind}) is out of memory: ${error.message.trim()}${has} Use smaller batches (batchSize, with ` +
        'accumulate to make up for it), shorter rows, bfloat16, recompute, or a device with more memory.',
      error.code,
      { cause: error },
    );
  }

  /** Undefined where the plugin does not count. */
  memory(): DeviceMemory | undefined {
    try {
      const stats = this.plugin.call('Device_MemoryStats', { device: this.#device });
      return {
        inUse: stats.inUse,
        peak: (stats.hasPeak & 1) === 1 ? stats.peak : undefined,
        limit: (stats.hasLimit & 1) === 1 ? stats.limit : undefined,
      };
    } catch (error) {
      if (error instanceof PjrtError) return undefined;
      throw error;
    }
  }

  /** Compiles StableHLO text; the caller destroys the executable. Settings that this plugin does not know are left out. */
  compile(code: string, settings: CompilerSettings = {}): number {
    const text = Buffer.from(code);
    const format = Buffer.from('mlir');
    const { plugin } = this;
    // The compiler reads both until it returns.
    const held = [text, format];
    const program = structure(
      BigInt(plugin.address(text)),
      BigInt(text.length),
      BigInt(plugin.address(format)),
      BigInt(format.length),
    );
    for (;;) {
      const known = Object.fromEntries(Object.entries(settings).filter(([name]) => !this.#unknown.has(name)));
      const options = compileOptions(known);
      this.#shield.raise();
      try {
        return plugin.call('Client_Compile', {
          client: this.#client,
          program,
          options,
          size: options.length,
        }).executable;
      } catch (error) {
        const name = Object.keys(known).find((setting) => (error as Error).message.includes(setting));
        if (name === undefined || !/no such|unknown|invalid|not found/i.test((error as Error).message))
          throw this.#explained(error);
        this.#unknown.add(name);
      } finally {
        this.#shield.lower();
        held.length = 0;
      }
    }
  }

  destroyExecutable(executable: number): void {
    this.plugin.call('LoadedExecutable_Destroy', { executable });
  }

  /** An executable as bytes for another process with the same plugin and device; undefined if the plugin cannot. */
  serialize(loaded: number): Uint8Array | undefined {
    const { plugin } = this;
    try {
      const { executable } = plugin.call('LoadedExecutable_GetExecutable', { loaded });
      try {
        const { bytes, size, serialized, deleter } = plugin.call('Executable_Serialize', { executable });
        const copy = plugin.bytes(bytes, size);
        plugin.callPointer(deleter, serialized);
        return copy;
      } finally {
        plugin.call('Executable_Destroy', { executable });
      }
    } catch (error) {
      if (error instanceof PjrtError) return undefined;
      throw error;
    }
  }

  /** The executable of such bytes; undefined if the plugin does not take them. */
  deserialize(bytes: Uint8Array): number | undefined {
    try {
      return this.plugin.call('Executable_DeserializeAndLoad', {
        client: this.#client,
        bytes,
        size: bytes.length,
      }).executable;
    } catch (error) {
      if (error instanceof PjrtError) return undefined;
      throw error;
    }
  }

  /** A new buffer with a copy of the values; the caller destroys it. */
  upload(type: BufferType, shape: readonly number[], values: ArrayBufferView): number {
    const { plugin } = this;
    const dimensions = words(shape.length);
    shape.forEach((size, i) => (dimensions[i] = BigInt(size)));
    const { done, buffer } = this.#within(() =>
      plugin.call('Client_BufferFromHostBuffer', {
        client: this.#client,
        // An empty array may have no address.
        data: values.byteLength === 0 ? dimensions : values,
        type: BUFFER_TYPES[type],
        dimensions,
        rank: shape.length,
        device: this.#device,
      }),
    );
    // The values were copied during the call.
    if (done !== 0) plugin.call('Event_Destroy', { event: done });
    this.buffers++;
    return buffer;
  }

  destroy(buffer: number): void {
    this.plugin.call('Buffer_Destroy', { buffer });
    this.buffers--;
  }

  /** Copies a buffer to the host once it is computed; throws what went wrong in computing it. */
  download(buffer: number, target: ArrayBufferView): void {
    if (target.byteLength === 0) return;
    this.await(this.#startDownload(buffer, target));
  }

  /** The same while the event loop goes on. */
  async downloadAsync(buffer: number, target: ArrayBufferView): Promise<void> {
    if (target.byteLength === 0) return;
    const event = this.#startDownload(buffer, target);
    try {
      await this.plugin.callAsync('Event_Await', { event });
    } catch (error) {
      throw this.#explained(error);
    } finally {
      this.plugin.call('Event_Destroy', { event });
    }
  }

  #startDownload(buffer: number, target: ArrayBufferView): number {
    return this.#within(() =>
      this.plugin.call('Buffer_ToHostBuffer', { buffer, target, size: target.byteLength }),
    ).event;
  }

  /** Waits for an event and destroys it; throws its error. */
  await(event: number): void {
    try {
      this.#within(() => this.plugin.call('Event_Await', { event }));
    } finally {
      this.plugin.call('Event_Destroy', { event });
    }
  }

  isDeleted(buffer: number): boolean {
    return (this.plugin.call('Buffer_IsDeleted', { buffer }).isDeleted & 1) === 1;
  }

  /**
   * Starts an executable: its results are there at once as buffers, whose values follow. `kept` are the places of inputs that
   * the program may overwrite, but must not this time. The event tells that it is done.
   */
  execute(
    executable: number,
    inputs: readonly number[],
    outputs: number,
    kept: readonly number[] = [],
  ): { buffers: number[]; event: number } {
    const { plugin } = this;
    const list = words(inputs.length);
    inputs.forEach((buffer, i) => (list[i] = BigInt(buffer)));
    const results = words(outputs);
    const fixed = words(kept.length);
    kept.forEach((place, i) => (fixed[i] = BigInt(place)));
    const pointer = (to: ArrayBufferView): BigUint64Array => {
      const block = words(1);
      block[0] = BigInt(plugin.address(to));
      return block;
    };
    const held = [list, results, fixed];
    const [inputLists, outputLists, events] = [pointer(list), pointer(results), words(1)];
    // Callbacks 0 to 3, launch 4, then the inputs that stay.
    const options = structure(0n, 0n, 0n, 0n, 0n, BigInt(plugin.address(fixed)), BigInt(kept.length));
    this.#shield.raise();
    try {
      this.#within(() =>
        plugin.call('LoadedExecutable_Execute', {
          executable,
          options,
          inputs: inputLists,
          devices: 1,
          inputCount: inputs.length,
          outputs: outputLists,
          events,
        }),
      );
    } finally {
      this.#shield.lower();
      held.length = 0;
    }
    this.buffers += outputs;
    return { buffers: Array.from(results.subarray(0, outputs), Number), event: Number(events[0]) };
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** PJRT_NamedValue[]; `held` is what it points to. */
function namedValues(
  plugin: Interface,
  options: Readonly<Record<string, ClientOption>>,
): { block: BigUint64Array; count: number; held: ArrayBufferView[] } {
  const entries = Object.entries(options);
  const block = words(7 * entries.length);
  const held: ArrayBufferView[] = [];
  const hold = (view: ArrayBufferView): bigint => {
    held.push(view);
    return BigInt(plugin.address(view));
  };
  entries.forEach(([name, value], i) => {
    const field = block.subarray(7 * i, 7 * i + 7);
    field.set([56n, 0n, hold(Buffer.from(`${name}\0`)), BigInt(Buffer.byteLength(name))]);
    if (typeof value === 'string')
      field.set([0n, hold(Buffer.from(`${value}\0`)), BigInt(Buffer.byteLength(value))], 4);
    else if (typeof value === 'boolean') field.set([4n, value ? 1n : 0n, 1n], 4);
    else if (typeof value === 'object')
      field.set([2n, hold(BigInt64Array.from(value, BigInt)), BigInt(value.length)], 4);
    else if (Number.isInteger(value)) field.set([1n, BigInt.asUintN(64, BigInt(value)), 1n], 4);
    else field.set([3n, BigInt(new Uint32Array(Float32Array.of(value).buffer)[0]!), 1n], 4);
  });
  return { block, count: entries.length, held };
}
