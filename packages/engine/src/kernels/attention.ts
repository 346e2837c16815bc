import type { Kernel, Operand } from '../recording/kernel.js';
import type { Attribute } from '../recording/attribute.js';
import { Notation } from './notation.js';

/** Attribute 0: heads; attribute 1: which of the optional inputs are there, as 'maskBias,mask'. */
interface Call {
  readonly heads: number;
  readonly maskBias: Operand | undefined;
  readonly mask: Operand | undefined;
}

function readCall([heads, given]: readonly Attribute[], optional: readonly Operand[]): Call {
  const names = (given!.value as string).split(',');
  const find = (name: string): Operand | undefined => {
    const place = names.indexOf(name);
    return place < 0 ? undefined : optional[place];
  };
  return { heads: heads!.value as number, maskBias: find('maskBias'), mask: find('mask') };
}

/** [B, T, H] -> [B, heads, T, H / heads]. */
function split(n: Notation, x: Operand, heads: number): Operand {
  const [batch, length, hidden] = x.shape as [number, number, number];
  return n.transpose(n.reshape(x, [batch, length, heads, hidden / heads]), 0, 2, 1, 3);
}

/** [B, heads, T, size] -> [B, T, heads * size]. */
function join(n: Notation, x: Operand): Operand {
  const [batch, heads, length, size] = x.shape as [number, number, number, number];
  return n.reshape(n.transpose(x, 0, 2, 1, 3), [batch, length, heads * size]);
}

/** softmax(q k^T + maskBias), q scaled already: [B, heads, Q, K]. */
function probabilities(n: Notation, q: Operand, k: Operand, maskBias: Operand | undefined): Operand {
  const scores = n.batchMatMul(q, k, 'adj_y');
  return n.op('Softmax', maskBias === undefined ? scores : n.add(scores, maskBias));
}

/** query [B, Q, H], key and value [B, K, H], maskBias?, mask? -> [B, Q, H]. */
export const attention: Kernel = {
  name: 'Attention',
  rows: { inputs: [1, undefined, undefined, 2, 2], outputs: [1] },
  build: (operations, [query, key, value, ...optional], attributes) => {
    const n = new Notation(operations);
    const { heads, maskBias, mask } = readCall(attributes, optional);
    const scale = Math.sqrt(heads / query!.shape[2]!);
    const p = probabilities(n, n.mul(split(n, query!, heads), scale), split(n, key!, heads), maskBias);
    return [join(n, n.batchMatMul(mask === undefined ? p : n.mul(p, mask), split(n, value!, heads)))];
  },
};

/** gradient [B, Q, H] and the inputs of Attention -> gradients for query, key and value. */
export const attentionGradient: Kernel = {
  name: 'AttentionGradient',
  rows: {
    inputs: [1, 1, undefined, undefined, 2, 2],
    outputs: [1, undefined, undefined],
    gradient: 0,
  },
  build: (operations, [gradient, query, key, value, ...optional], attributes) => {
    const n = new Notation(operations);
    const { heads, maskBias, mask } = readCall(attributes, optional);
    const scale = Math.sqrt(heads / query!.shape[2]!);
    const g = split(n, gradient!, heads);
    const q = n.mul(split(n, query!, heads), scale);
    const k = split(n, key!, heads);
    const p = probabilities(n, q, k, maskBias);
    const forValue = n.batchMatMul(mask === undefined ? p : n.mul(p, mask), g, 'adj_x');
    const unmasked = n.batchMatMul(g, split(n, value!, heads), 'adj_y');
    const forP = mask === undefined ? unmasked : n.mul(unmasked, mask);
    const forScores = n.mul(p, n.sub(forP, n.sumLast(n.mul(forP, p))));
    const forQuery = n.mul(n.batchMatMul(forScores, k), scale);
    const forKey = n.batchMatMul(forScores, q, 'adj_x');
    return [join(n, forQuery), join(n, forKey), join(n, forValue)];
  },
};
