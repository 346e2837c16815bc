import { normalTable, parity, rotations, rounds, type KeyedDrawAttributes } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Kernel, Operand, Operations } from '../compile/kernel.js';
import type { Attribute } from './attributes.js';
import type { NativeBackend } from './backend.js';
import {
  TF_ATTR_INT,
  TF_ATTR_SHAPE,
  TF_ATTR_STRING,
  TF_ATTR_TYPE,
  TF_BOOL,
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_UINT32,
  sizeOf,
} from './data-types.js';

/**
 * The kernel KeyedDraw of @hypetune/ops: Threefry-2x32 and the distributions in whole numbers, the same bits as on the host.
 * A compiled step fuses it into what uses the draw. Key, bounds and scale are one feed, so that they never recompile.
 */
export const keyedDraw: Kernel = {
  name: 'KeyedDraw',
  fuse: true,
  build: (operations, inputs, attributes) => {
    const [distribution, shape] = attributes.map(({ value }) => value) as [
      KeyedDrawAttributes['distribution'],
      number[],
    ];
    const m = new Arithmetic(operations);
    const unpack = [
      { name: 'num', type: TF_ATTR_INT, value: 5 },
      { name: 'axis', type: TF_ATTR_INT, value: 0 },
    ];
    const [key0, key1, offset, width, scaleBits] = operations.ops('Unpack', inputs, 5, unpack);
    const scale = m.bitcast(scaleBits!, TF_FLOAT);
    const halves = drawHalves(m, m.bitcast(key0!, TF_UINT32), m.bitcast(key1!, TF_UINT32), sizeOf(shape));
    const draw = {
      normal: () => m.op('Mul', m.cast(normalUnits(m, joinHalves(m, halves)), TF_FLOAT), scale),
      uniform: () => {
        const units = uniformUnits(m, selectHalves(m, halves), offset!, width!);
        return m.op('Mul', m.cast(units, TF_FLOAT), scale);
      },
      bernoulli: () => {
        const words = m.bitcast(m.right(selectHalves(m, halves), 2), TF_INT32);
        return m.op(
          'SelectV2',
          m.op('Less', words, offset!),
          scale,
          operations.constant(new Float32Array(1)),
        );
      },
    }[distribution]();
    return [m.reshape(draw, shape)];
  },
};

/** Registers the kernel for a native backend. */
export function registerKeyedDraw(backendName: string): void {
  tf.registerKernel({
    kernelName: 'KeyedDraw',
    backendName,
    kernelFunc: ({ inputs, backend, attrs }) => {
      const native = backend as unknown as NativeBackend;
      const { distribution, shape } = attrs as unknown as KeyedDrawAttributes;
      const attributes: Attribute[] = [
        { name: 'distribution', type: TF_ATTR_STRING, value: distribution },
        { name: 'shape', type: TF_ATTR_SHAPE, value: shape },
      ];
      const ids = native.getInputTensorIds([inputs['parameters']!]);
      return native.createOutputTensor(native.binding.executeKernel(keyedDraw, attributes, ids, 1)[0]!);
    },
  });
}

/** Numbers of a row of a range, a power of two. */
const ROW = 1024;

/** Operations on whole numbers; a number stands for a constant of the other operand's type. */
class Arithmetic {
  readonly #operations: Operations;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  op(name: string, ...inputs: Operand[]): Operand {
    return this.#operations.op(name, inputs);
  }

  constant(like: Operand, value: number): Operand {
    if (like.dtype === TF_UINT32) return this.#operations.constant(Uint32Array.of(value));
    const whole = this.#operations.constant(Int32Array.of(value));
    return like.dtype === TF_INT64 ? this.cast(whole, TF_INT64) : whole;
  }

  #with(name: string, a: Operand, b: Operand | number): Operand {
    return this.op(name, a, typeof b === 'number' ? this.constant(a, b) : b);
  }

  add(a: Operand, b: Operand | number): Operand {
    return this.#with('AddV2', a, b);
  }

  sub(a: Operand, b: Operand | number): Operand {
    return this.#with('Sub', a, b);
  }

  mul(a: Operand, b: Operand | number): Operand {
    return this.#with('Mul', a, b);
  }

  xor(a: Operand, b: Operand | number): Operand {
    return this.#with('BitwiseXor', a, b);
  }

  and(a: Operand, b: Operand | number): Operand {
    return this.#with('BitwiseAnd', a, b);
  }

  or(a: Operand, b: Operand | number): Operand {
    return this.#with('BitwiseOr', a, b);
  }

  left(a: Operand, by: number): Operand {
    return this.#with('LeftShift', a, by);
  }

  /** Fills with zeros in uint32, with the sign in int32 and int64. */
  right(a: Operand, by: number): Operand {
    return this.#with('RightShift', a, by);
  }

  rotate(a: Operand, by: number): Operand {
    return this.or(this.left(a, by), this.right(a, 32 - by));
  }

  cast(a: Operand, dtype: number): Operand {
    return this.#operations.op('Cast', [a], [{ name: 'DstT', type: TF_ATTR_TYPE, value: dtype }]);
  }

  bitcast(a: Operand, dtype: number): Operand {
    return this.#operations.op('Bitcast', [a], [{ name: 'type', type: TF_ATTR_TYPE, value: dtype }]);
  }

  /**
   * start, start + 1, start + 2 ... in uint32. Added up from rows and columns after `start`: the compiler computes what is
   * fixed beforehand, and would carry the numbers of all draws along, 35 MB of them for a step of MiniLM.
   */
  range(start: Operand, count: number): Operand {
    const rows = Math.ceil(count / ROW);
    const starts = this.add(this.left(this.#fixedRange(rows), Math.log2(ROW)), start);
    const table = this.add(this.reshape(starts, [rows, 1]), this.#fixedRange(ROW));
    return this.first(this.reshape(table, [rows * ROW]), count);
  }

  #fixedRange(count: number): Operand {
    const bounds = [0, count, 1].map((value) => this.#operations.constant(Int32Array.of(value)));
    return this.bitcast(this.#operations.op('Range', bounds), TF_UINT32);
  }

  /** The first `count` elements of a vector. */
  first(a: Operand, count: number): Operand {
    const bounds = [0, count].map((value) => this.#operations.constant(Int32Array.of(value), [1]));
    return this.op('Slice', a, ...bounds);
  }

  table(values: Uint32Array | Int32Array, shape: readonly number[] = [values.length]): Operand {
    return this.#operations.constant(values, shape);
  }

  gather(table: Operand, indices: Operand): Operand {
    return this.op('GatherV2', table, indices, this.#operations.constant(Int32Array.of(0)));
  }

  reshape(a: Operand, shape: readonly number[]): Operand {
    return this.op('Reshape', a, this.table(Int32Array.from(shape)));
  }

  join(a: Operand, b: Operand): Operand {
    const attributes = [
      { name: 'N', type: TF_ATTR_INT, value: 2 },
      { name: 'T', type: TF_ATTR_TYPE, value: a.dtype },
    ];
    return this.#operations.op('ConcatV2', [a, b, this.#operations.constant(Int32Array.of(0))], attributes);
  }
}

/** The two words of each block of a draw of `count`. */
interface Halves {
  readonly count: number;
  readonly first: Operand;
  readonly second: Operand;
}

/** `fillWords` of @hypetune/ops: blocks of the counters (c, 0). All first words come before all second ones in the draw. */
function drawHalves(m: Arithmetic, key0: Operand, key1: Operand, count: number): Halves {
  const keys = [key0, key1, m.xor(m.xor(key0, key1), parity)];
  let x0 = m.range(key0, Math.ceil(count / 2));
  let x1 = key1;
  for (let round = 0; round < rounds; round++) {
    x0 = m.add(x0, x1);
    x1 = m.xor(m.rotate(x1, rotations[round % 8]!), x0);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = m.add(x0, keys[injection % 3]!);
      x1 = m.add(x1, m.add(keys[(injection + 1) % 3]!, injection));
    }
  }
  return { count, first: x0, second: x1 };
}

/**
 * The words one half after the other. XLA fuses a concatenation into the loop of what follows, as a branch that keeps it from
 * being vectorized: right for a table look-up, which is not vectorized anyway and so gets its words from memory.
 */
function joinHalves(m: Arithmetic, { count, first, second }: Halves): Operand {
  return m.join(first, count % 2 === 0 ? second : m.first(second, Math.floor(count / 2)));
}

/** The same words by a choice between two rows, which vectorizes: 10 times as fast for uniform and Bernoulli draws. */
function selectHalves(m: Arithmetic, { count, first, second }: Halves): Operand {
  const half = Math.ceil(count / 2);
  const isFirst = m.cast(m.table(Int32Array.of(1, 0), [2, 1]), TF_BOOL);
  const rows = m.op('SelectV2', isFirst, m.reshape(first, [1, half]), m.reshape(second, [1, half]));
  const words = m.reshape(rows, [2 * half]);
  return count % 2 === 0 ? words : m.first(words, count);
}

/** `toNormal` before its scale: uint32 words to int32 in units of 2^-21. */
function normalUnits(m: Arithmetic, words: Operand): Operand {
  const sign = m.right(m.bitcast(words, TF_INT32), 31);
  const tail = m.bitcast(m.or(m.and(words, 0x7fffffff), 1), TF_INT32);
  const bits = m.bitcast(m.cast(tail, TF_FLOAT), TF_INT32);
  const piece = m.gather(m.table(new Uint32Array(normalTable)), m.sub(m.right(bits, 18), 127 * 32));
  const base = m.left(m.bitcast(m.right(piece, 12), TF_INT32), 4);
  const slope = m.bitcast(m.and(piece, 0xfff), TF_INT32);
  const place = m.and(m.right(bits, 4), 0x3fff);
  const z = m.sub(base, m.right(m.mul(slope, place), 10));
  return m.sub(m.xor(z, sign), sign);
}

/** `toUniform` before its scale: uint32 words to int32 in units of the last place. */
function uniformUnits(m: Arithmetic, words: Operand, offset: Operand, width: Operand): Operand {
  const middle = m.add(m.mul(m.cast(m.right(words, 8), TF_INT64), 2), 1);
  const product = m.right(m.mul(middle, m.cast(width, TF_INT64)), 25);
  return m.add(m.cast(product, TF_INT32), offset);
}
