import type { Kernel } from '../recording/kernel.js';
import { Notation } from './notation.js';

/** x [..., I], kernel [I, O], bias? [O] -> [..., O]. */
export const linear: Kernel = {
  name: 'Linear',
  rows: { inputs: [1], outputs: [1] },
  build: (operations, [x, kernel, bias]) => {
    const n = new Notation(operations);
    const product = n.matMul(n.rows(x!), kernel!);
    const sum = bias === undefined ? product : n.op('BiasAdd', product, bias);
    return [n.reshape(sum, [...x!.shape.slice(0, -1), kernel!.shape[1]!])];
  },
};

/** gradient [..., O], kernel [I, O] -> gradient kernel^T [..., I]. */
export const linearInputGradient: Kernel = {
  name: 'LinearInputGradient',
  rows: { inputs: [1], outputs: [1], gradient: 0 },
  build: (operations, [gradient, kernel]) => {
    const n = new Notation(operations);
    const product = n.matMul(n.rows(gradient!), kernel!, 'transpose_b');
    return [n.reshape(product, [...gradient!.shape.slice(0, -1), kernel!.shape[0]!])];
  },
};

/** x [..., I], gradient [..., O] -> x^T gradient over all rows [I, O]. */
export const linearKernelGradient: Kernel = {
  name: 'LinearKernelGradient',
  rows: { inputs: [1, 1], outputs: [undefined], gradient: 1 },
  build: (operations, [x, gradient]) => {
    const n = new Notation(operations);
    return [n.matMul(n.transposed(n.rows(x!)), n.rows(gradient!))];
  },
};

/** gradient [..., O] -> its sum over all rows [O]. */
export const linearBiasGradient: Kernel = {
  name: 'LinearBiasGradient',
  rows: { inputs: [1], outputs: [undefined], gradient: 0 },
  build: (operations, [gradient]) => {
    const n = new Notation(operations);
    return [n.fastSum(n.rows(gradient!), 0)];
  },
};
