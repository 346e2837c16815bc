import type { Kernel, Operand } from '../recording/kernel.js';
import { Notation } from './notation.js';

/**
 * (x - mean) / sqrt(variance + epsilon) over the last axis, and the factor 1 / sqrt(variance + epsilon). Centred twice: the
 * mean of a row of equal numbers is off by its rounding, which a small epsilon would make large.
 */
function normalize(n: Notation, x: Operand, epsilon: number): { normal: Operand; factor: Operand } {
  const nearly = n.sub(x, n.meanLast(x));
  const centred = n.sub(nearly, n.meanLast(nearly));
  const factor = n.op('Rsqrt', n.add(n.meanLast(n.op('Square', centred)), epsilon));
  return { normal: n.mul(centred, factor), factor };
}

/** x [..., H], scale [H], offset [H]; attribute epsilon -> [..., H]. */
export const layerNorm: Kernel = {
  name: 'LayerNorm',
  rows: { inputs: [1], outputs: [1] },
  fuse: true,
  build: (operations, [x, scale, offset], [epsilon]) => {
    const n = new Notation(operations);
    const { normal } = normalize(n, x!, epsilon!.value as number);
    return [n.add(n.mul(normal, scale!), offset!)];
  },
};

/** gradient and x [..., H], scale [H] -> gradients for x, scale and offset. */
export const layerNormGradient: Kernel = {
  name: 'LayerNormGradient',
  rows: { inputs: [1, 1], outputs: [1, undefined, undefined], gradient: 0 },
  fuse: true,
  build: (operations, [gradient, x, scale], [epsilon]) => {
    const n = new Notation(operations);
    const { normal, factor } = normalize(n, x!, epsilon!.value as number);
    const scaled = n.mul(gradient!, scale!);
    const along = n.mul(normal, n.meanLast(n.mul(scaled, normal)));
    const forInput = n.mul(factor, n.sub(n.sub(scaled, n.meanLast(scaled)), along));
    return [forInput, n.fastSum(n.rows(n.mul(gradient!, normal)), 0), n.sum(n.rows(gradient!), 0)];
  },
};
