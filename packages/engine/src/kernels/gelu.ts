import type { Kernel, Operand } from '../recording/kernel.js';
import { Notation } from './notation.js';

/** The normal distribution function, (1 + erf(x / sqrt 2)) / 2. */
function below(n: Notation, x: Operand): Operand {
  return n.mul(n.add(n.op('Erf', n.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** x -> x (1 + erf(x / sqrt 2)) / 2. */
export const gelu: Kernel = {
  name: 'Gelu',
  rows: { inputs: [1], outputs: [1] },
  fuse: true,
  build: (operations, [x]) => {
    const n = new Notation(operations);
    const rows = n.rows(x!);
    return [n.reshape(n.mul(rows, below(n, rows)), x!.shape)];
  },
};

/** gradient, x -> gradient for x. */
export const geluGradient: Kernel = {
  name: 'GeluGradient',
  rows: { inputs: [1, 1], outputs: [1], gradient: 0 },
  fuse: true,
  build: (operations, [gradient, x]) => {
    const n = new Notation(operations);
    const rows = n.rows(x!);
    const density = n.mul(n.op('Exp', n.mul(n.op('Square', rows), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    const slope = n.add(below(n, rows), n.mul(rows, density));
    return [n.reshape(n.mul(n.rows(gradient!), slope), x!.shape)];
  },
};
