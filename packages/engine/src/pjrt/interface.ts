import koffi from 'koffi';
import { bindMemory, type Memory } from '../libtensorflow/symbols.js';

/**
 * The functions of PJRT's C interface that are used here: the place of each in the table that a plugin gives, then the fields
 * of its argument structure after the two that all have. Every field takes eight bytes, smaller ones with what fills them up.
 */
const functions = {
  Error_Destroy: [3, 'error'],
  Error_Message: [4, 'error', 'message', 'size'],
  Error_GetCode: [5, 'error', 'code'],
  Plugin_Initialize: [6],
  Event_Destroy: [8, 'event'],
  Event_Await: [11, 'event'],
  Client_Create: [13, 'options', 'count', 'get', 'getArgument', 'put', 'putArgument', 'client'],
  Client_PlatformName: [15, 'client', 'name', 'size'],
  Client_PlatformVersion: [17, 'client', 'version', 'size'],
  Client_AddressableDevices: [19, 'client', 'devices', 'count'],
  Client_Compile: [23, 'client', 'program', 'options', 'size', 'executable'],
  Client_BufferFromHostBuffer: [
    25,
    'client',
    'data',
    'type',
    'dimensions',
    'rank',
    'strides',
    'strideCount',
    'semantics',
    'device',
    'memory',
    'layout',
    'done',
    'buffer',
  ],
  DeviceDescription_Kind: [29, 'description', 'kind', 'size'],
  Device_GetDescription: [32, 'device', 'description'],
  Device_MemoryStats: [
    37,
    'device',
    'inUse',
    'peak',
    'hasPeak',
    'allocations',
    'hasAllocations',
    'largest',
    'hasLargest',
    'limit',
    'hasLimit',
  ],
  Executable_Destroy: [43, 'executable'],
  Executable_Serialize: [52, 'executable', 'bytes', 'size', 'serialized', 'deleter'],
  LoadedExecutable_Destroy: [53, 'executable'],
  LoadedExecutable_GetExecutable: [54, 'loaded', 'executable'],
  LoadedExecutable_Execute: [
    58,
    'executable',
    'options',
    'inputs',
    'devices',
    'inputCount',
    'outputs',
    'events',
    'device',
  ],
  Executable_DeserializeAndLoad: [59, 'client', 'bytes', 'size', 'executable'],
  Buffer_Destroy: [61, 'buffer'],
  Buffer_IsDeleted: [71, 'buffer', 'isDeleted'],
  Buffer_ToHostBuffer: [73, 'buffer', 'layout', 'target', 'size', 'event'],
} as const;

type Functions = typeof functions;
type FunctionName = keyof Functions;
type Field<N extends FunctionName> = Functions[N] extends readonly [number, ...infer F]
  ? F[number] & string
  : never;
/** What a field holds: a number, an address, or memory whose address it is to be. */
export type FieldValue = number | ArrayBufferView;
type Given<N extends FunctionName> = Partial<Record<Field<N>, FieldValue>>;
type Words<N extends FunctionName> = Record<Field<N>, number>;

/** Bytes of an argument structure here: more than any has by now, so that the fields of later versions are there and zero. */
const STRUCTURE = 256;
/** Words of the table before its first function, whose place is 3. */
const FIRST = 2;
/** The versions that are known to have every function at its place and every field at its own. */
const MAJOR = 0;
const OLDEST_MINOR = 54;

/** absl's status codes. */
const codes = [
  'ok',
  'cancelled',
  'unknown',
  'invalid argument',
  'deadline exceeded',
  'not found',
  'already exists',
  'permission denied',
  'resource exhausted',
  'failed precondition',
  'aborted',
  'out of range',
  'unimplemented',
  'internal',
  'unavailable',
  'data loss',
  'unauthenticated',
];

/** What a plugin says went wrong. */
export class PjrtError extends Error {
  override name = 'PjrtError';
  /** As `resource exhausted`. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

interface Callable {
  (words: BigUint64Array): number;
  async(words: BigUint64Array, done: (error: Error | null, result: number) => void): void;
}

/** Zeroed memory outside of JavaScript's heap, whose address stays. */
export const words = (count: number): BigUint64Array =>
  new BigUint64Array(new ArrayBuffer(8 * Math.max(count, 1)));

/** A structure of the interface that is no argument structure: its size, no extension, and these fields. */
export function structure(...fields: readonly bigint[]): BigUint64Array {
  const block = words(STRUCTURE / 8);
  block[0] = BigInt(STRUCTURE);
  block.set(fields, 2);
  return block;
}

/** The table of functions that a plugin gives, and calls of them. */
export class Interface {
  /** As `0.115`. */
  readonly version: string;
  /** The kinds of the extensions that the plugin has. */
  readonly extensions: readonly number[];
  readonly #memory: Memory;
  readonly #address: (of: ArrayBufferView) => number;
  readonly #callables = new Map<FunctionName, Callable>();
  readonly #table: BigUint64Array;
  readonly #prototype = koffi.proto('uintptr_t (void *)');
  readonly #pathOfPlugin: string;
  #held: object = {};

  /** `table` is the address of the plugin's PJRT_Api. Throws if its version or size does not fit. */
  constructor(table: number, path: string) {
    this.#pathOfPlugin = path;
    this.#memory = bindMemory();
    const copy = koffi.load(null).func('memcpy', 'uintptr_t', ['void *', 'void *', 'size_t']) as (
      target: ArrayBufferView,
      source: ArrayBufferView,
      bytes: number,
    ) => number;
    this.#address = (of) => copy(of, of, 0);
    const [size, extension, , , version] = this.#words(table, 5);
    const [major, minor] = [Number(version! & 0xffffffffn), Number(version! >> 32n)];
    this.version = `${major}.${minor}`;
    const last = Math.max(...Object.values(functions).map(([place]) => place));
    const wanted = 8 * (last + FIRST + 1);
    if (major !== MAJOR || minor < OLDEST_MINOR || Number(size) < wanted)
      throw new Error(
        `${path} has PJRT's interface in version ${this.version} with a table of ${size} bytes; wanted is ${MAJOR}.${OLDEST_MINOR} ` +
          `or later of the same first number, and at least ${wanted} bytes. Take another version of the plugin.`,
      );
    this.#table = this.#words(table, Number(size) >> 3);
    const kinds: number[] = [];
    for (let at = Number(extension); at !== 0;) {
      const [, kind, next] = this.#words(at, 3);
      kinds.push(Number(kind! & 0xffffffffn));
      at = Number(next);
    }
    this.extensions = kinds;
  }

  #words(address: number, count: number): BigUint64Array {
    const copy = words(count);
    this.#memory.read(copy, address, 8 * count);
    return copy;
  }

  /** Address of memory that JavaScript holds. */
  address(of: ArrayBufferView): number {
    return this.#address(of);
  }

  /** Copies memory of the plugin. */
  bytes(address: number, count: number): Uint8Array {
    const copy = new Uint8Array(count);
    if (count > 0) this.#memory.read(copy, address, count);
    return copy;
  }

  pointers(address: number, count: number): number[] {
    return Array.from(this.#words(address, count).subarray(0, count), Number);
  }

  text(address: number, bytes: number): string {
    return Buffer.from(this.bytes(address, bytes)).toString();
  }

  /** Calls a function; the fields of its structure afterwards. Throws what the plugin says went wrong. */
  call<N extends FunctionName>(name: N, given: Given<N>): Words<N> {
    // Only addresses lead to this memory while the plugin works with it: nothing else would keep it.
    this.#held = given;
    const block = this.#fill(name, given);
    this.#check(name, this.#callable(name)(block));
    return this.#read(name, block);
  }

  /** The same on a thread of its own. */
  async callAsync<N extends FunctionName>(name: N, given: Given<N>): Promise<Words<N>> {
    const block = this.#fill(name, given);
    const error = await new Promise<number>((resolve, reject) => {
      this.#callable(name).async(block, (failure, result) => {
        if (failure === null) resolve(result);
        else reject(failure);
      });
    });
    this.#check(name, error);
    return this.#read(name, block);
  }

  /** Calls a function that a plugin gave with an object, as a deleter, with the object. */
  callPointer(pointer: number, argument: number): void {
    const call = koffi.decode(BigInt(pointer), koffi.proto('void (uintptr_t)')) as (argument: number) => void;
    call(argument);
  }

  #callable(name: FunctionName): Callable {
    let callable = this.#callables.get(name);
    if (callable === undefined) {
      const pointer = this.#table[functions[name][0] + FIRST]!;
      if (pointer === 0n) throw new Error(`${this.#pathOfPlugin} lacks the function PJRT_${name}.`);
      callable = koffi.decode(pointer, this.#prototype) as unknown as Callable;
      this.#callables.set(name, callable);
    }
    return callable;
  }

  #fill<N extends FunctionName>(name: N, given: Given<N>): BigUint64Array {
    const block = structure();
    const fields = functions[name] as readonly (number | string)[];
    for (let i = 1; i < fields.length; i++) {
      const value = (given as Record<string, FieldValue | undefined>)[fields[i]!];
      if (value !== undefined)
        block[i + 1] = BigInt(typeof value === 'number' ? value : this.#address(value));
    }
    return block;
  }

  #read<N extends FunctionName>(name: N, block: BigUint64Array): Words<N> {
    const fields = functions[name] as readonly (number | string)[];
    const read: Record<string, number> = {};
    for (let i = 1; i < fields.length; i++) read[fields[i]!] = Number(block[i + 1]);
    return read as Words<N>;
  }

  #check(name: FunctionName, error: number): void {
    if (error === 0 || name.startsWith('Error_')) return;
    const { message, size } = this.call('Error_Message', { error });
    const text = this.text(message, size);
    const { code } = this.call('Error_GetCode', { error });
    this.call('Error_Destroy', { error });
    const kind = codes[code & 0xff] ?? `code ${code}`;
    throw new PjrtError(`PJRT_${name} (${kind}): ${text}`, kind);
  }
}
