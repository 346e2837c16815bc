/** A small WebAssembly assembler: enough of the binary format (W3C core specification 2.0) for the kernels of this folder. */

/** WebAssembly code or a part of it, as bytes. */
export type Code = readonly number[];

export const i32 = 0x7f;
export const f32 = 0x7d;
export const v128 = 0x7b;
export type ValueType = typeof i32 | typeof f32 | typeof v128;

/** One function of a module: its first locals are the parameters. */
export interface FunctionDefinition {
  name: string;
  parameters: readonly ValueType[];
  locals: readonly ValueType[];
  body: Code;
}

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()];
const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content];
const text = (value: string): number[] => vector([...new TextEncoder().encode(value)].map((byte) => [byte]));
const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

export const constant = (value: number): Code => [0x41, ...signed(value)];
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, ...value: Code[]): Code => [...value.flat(), 0x21, ...unsigned(local)];
export const call = (index: number, ...values: Code[]): Code => [...values.flat(), 0x10, ...unsigned(index)];
export const sequence = (...parts: Code[]): Code => parts.flat();

export const add = (x: Code, y: Code): Code => [...x, ...y, 0x6a];
export const subtract = (x: Code, y: Code): Code => [...x, ...y, 0x6b];
export const multiply = (x: Code, y: Code): Code => [...x, ...y, 0x6c];
/** x < y as unsigned integers. */
export const below = (x: Code, y: Code): Code => [...x, ...y, 0x49];
export const equalsZero = (x: Code): Code => [...x, 0x45];
/** The smaller of two unsigned integers. */
export const minimum = (x: Code, y: Code): Code => [...x, ...y, ...below(x, y), 0x1b];

const memory = (opcode: Code, align: number, offset: number): Code => [...opcode, align, ...unsigned(offset)];
export const loadInteger = (address: Code, offset = 0): Code => [...address, ...memory([0x28], 2, offset)];
export const loadFloat = (address: Code, offset = 0): Code => [...address, ...memory([0x2a], 2, offset)];
export const storeFloat = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...memory([0x38], 2, offset),
];
export const floatZero: Code = [0x43, 0, 0, 0, 0];
export const addFloat = (x: Code, y: Code): Code => [...x, ...y, 0x92];

export const loadVector = (address: Code, offset = 0): Code => [...address, ...memory(simd(0), 2, offset)];
export const storeVector = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...memory(simd(11), 2, offset),
];
/** One float, repeated in the four lanes. */
export const loadSplat = (address: Code, offset = 0): Code => [...address, ...memory(simd(9), 2, offset)];
export const vectorZero: Code = [...simd(12), ...new Array<number>(16).fill(0)];
export const addVector = (x: Code, y: Code): Code => [...x, ...y, ...simd(0xe4)];
export const multiplyVector = (x: Code, y: Code): Code => [...x, ...y, ...simd(0xe6)];
/** x * y + z in one rounding where the machine has it (relaxed SIMD). */
export const multiplyAddVector = (x: Code, y: Code, z: Code): Code => [...x, ...y, ...z, ...simd(0x105)];

/** The same float in the four lanes, known when the module is made. */
export const splat = (value: number): Code => {
  const bytes = [...new Uint8Array(new Float32Array([value]).buffer)];
  return [...simd(12), ...bytes, ...bytes, ...bytes, ...bytes];
};
const two =
  (opcode: number) =>
  (x: Code, y: Code): Code => [...x, ...y, ...simd(opcode)];
const one =
  (opcode: number) =>
  (x: Code): Code => [...x, ...simd(opcode)];
export const subtractVector: (x: Code, y: Code) => Code = two(0xe5);
export const divideVector: (x: Code, y: Code) => Code = two(0xe7);
export const minimumVector: (x: Code, y: Code) => Code = two(0xe8);
export const maximumVector: (x: Code, y: Code) => Code = two(0xe9);
export const absoluteVector: (x: Code) => Code = one(0xe0);
export const squareRootVector: (x: Code) => Code = one(0xe3);
/** x where y is not below z, else zero; of NaN for y, x. */
export const unlessBelow = (x: Code, y: Code, z: Code): Code => [
  ...x,
  ...y,
  ...z,
  ...simd(0x43),
  ...simd(0x4f),
];
/** To the nearest whole number, as a float. */
export const nearestVector: (x: Code) => Code = one(0x6a);
/** Whole floats to int32. */
export const truncateVector: (x: Code) => Code = one(0xf8);
export const addIntegers: (x: Code, y: Code) => Code = two(0xae);
export const shiftLeft = (x: Code, bits: number): Code => [...x, ...constant(bits), ...simd(0xab)];
/** A positive x with the sign of y. */
export const withSignOf = (x: Code, y: Code): Code => [
  ...x,
  ...y,
  ...splat(-0),
  ...simd(0x4e),
  ...simd(0x50),
];

export const when = (condition: Code, yes: Code, no: Code = []): Code => [
  ...condition,
  0x04,
  0x40,
  ...yes,
  ...(no.length > 0 ? [0x05, ...no] : []),
  0x0b,
];
/** Runs `body` while `condition` holds, tested before each round. */
export const loop = (condition: Code, body: Code): Code => [
  ...[0x02, 0x40, 0x03, 0x40],
  ...equalsZero(condition),
  ...[0x0d, 1],
  ...body,
  ...[0x0c, 0, 0x0b, 0x0b],
];
/** for (counter = from; counter < to; counter += step) body. */
export const count = (counter: number, from: Code, to: Code, step: Code, body: Code): Code =>
  sequence(
    set(counter, from),
    loop(below(get(counter), to), sequence(body, set(counter, add(get(counter), step)))),
  );

/** A module that imports `env.memory` and exports every function by its name. */
export function assembleModule(
  functions: readonly FunctionDefinition[],
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const limits = shared ? [0x03, ...unsigned(1), ...unsigned(65536)] : [0x00, ...unsigned(1)];
  const types = functions.map(({ parameters }) => [0x60, ...vector(parameters.map((type) => [type])), 0]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector(locals.map((type) => [1, type])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, ...limits]])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]))),
    ...section(10, vector(bodies)),
  ]);
}
