import {
  drawLayout,
  normalTable,
  pairBits,
  parity,
  rotations,
  rounds,
  type KeyedDrawAttributes,
} from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Kernel, Operand, Operations } from '../recording/kernel.js';
import type { Attribute } from '../recording/attribute.js';
import type { RecordingBackend } from '../recording/tfjs-node.js';
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
} from '../recording/data-types.js';

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
    const words = drawWords(m, m.bitcast(key0!, TF_UINT32), m.bitcast(key1!, TF_UINT32), shape);
    const draw = {
      normal: () => m.op('Mul', m.cast(normalUnits(m, joinWords(m, words)), TF_FLOAT), scale),
      uniform: () => {
        const units = uniformUnits(m, selectWords(m, words), offset!, width!);
        return m.op('Mul', m.cast(units, TF_FLOAT), scale);
      },
      bernoulli: () => {
        const units = m.bitcast(m.right(selectWords(m, words), 2), TF_INT32);
        return m.op(
          'SelectV2',
          m.op('Less', units, offset!),
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
      const native = backend as unknown as RecordingBackend;
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

  /** 0, 1, 2 ... below `count`, in uint32. */
  range(count: number): Operand {
    const bounds = [0, count, 1].map((value) => this.#operations.constant(Int32Array.of(value)));
    return this.bitcast(this.#operations.op('Range', bounds), TF_UINT32);
  }

  /** The first `count` rows. */
  first(a: Operand, count: number): Operand {
    const begin = a.shape.map(() => 0);
    const size = [count, ...a.shape.slice(1)];
    return this.op('Slice', a, this.table(Int32Array.from(begin)), this.table(Int32Array.from(size)));
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

  /** Two tensors one after the other along an axis. */
  join(a: Operand, b: Operand, axis: number): Operand {
    const attributes = [
      { name: 'N', type: TF_ATTR_INT, value: 2 },
      { name: 'T', type: TF_ATTR_TYPE, value: a.dtype },
    ];
    return this.#operations.op(
      'ConcatV2',
      [a, b, this.#operations.constant(Int32Array.of(axis))],
      attributes,
    );
  }
}

/** The two words of each block: those of the even rows and of the odd ones, each [pairs, 1, elements of a row]. */
interface Words {
  readonly rows: number;
  readonly even: Operand;
  readonly odd: Operand;
}

/**
 * `fillWords` of @hypetune/ops. The counters are added up from rows, planes, places and features after the key: the compiler
 * computes what is fixed beforehand, and would carry the numbers of all draws along, 35 MB of them for a step of MiniLM.
 */
function drawWords(m: Arithmetic, key0: Operand, key1: Operand, shape: readonly number[]): Words {
  const { rows, planes, places, features, shift, planeStride } = drawLayout(shape);
  const keys = [key0, key1, m.xor(m.xor(key0, key1), parity)];
  const pairs = Math.ceil(rows / 2);
  const starts = m.reshape(m.add(m.left(m.range(places), shift), key0), [1, 1, places, 1]);
  let x0 = m.add(starts, m.reshape(m.range(features), [1, 1, 1, features]));
  let x1 = m.reshape(m.add(m.range(pairs), key1), [pairs, 1, 1, 1]);
  if (planes > 1) {
    const upper = m.mul(m.range(planes), planeStride << pairBits);
    x1 = m.add(x1, m.reshape(upper, [1, planes, 1, 1]));
  }
  if (planeStride > 1) {
    const upper = m.left(m.right(m.range(places), 32 - shift), pairBits);
    x1 = m.add(x1, m.reshape(upper, [1, 1, places, 1]));
  }
  for (let round = 0; round < rounds; round++) {
    x0 = m.add(x0, x1);
    x1 = m.xor(m.rotate(x1, rotations[round % 8]!), x0);
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = m.add(x0, keys[injection % 3]!);
      x1 = m.add(x1, m.add(keys[(injection + 1) % 3]!, injection));
    }
  }
  const size = planes * places * features;
  return { rows, even: m.reshape(x0, [pairs, 1, size]), odd: m.reshape(x1, [pairs, 1, size]) };
}

/**
 * The words row after row. XLA fuses a concatenation into the loop of what follows, as a branch that keeps it from being
 * vectorized: right for a table look-up, which is not vectorized anyway and so gets its words from memory.
 */
function joinWords(m: Arithmetic, { rows, even, odd }: Words): Operand {
  return allRows(m, m.join(even, odd, 1), rows);
}

/** The same words by a choice, which vectorizes: 10 times as fast for uniform and Bernoulli draws. */
function selectWords(m: Arithmetic, { rows, even, odd }: Words): Operand {
  const isEven = m.cast(m.table(Int32Array.of(1, 0), [1, 2, 1]), TF_BOOL);
  return allRows(m, m.op('SelectV2', isEven, even, odd), rows);
}

/** [pairs, 2, size] -> [rows, size]. */
function allRows(m: Arithmetic, words: Operand, rows: number): Operand {
  const [pairs, , size] = words.shape as [number, number, number];
  const table = m.reshape(words, [2 * pairs, size]);
  return rows % 2 === 0 ? table : m.first(table, rows);
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
