import type { Kernel, Operand } from '../compile/kernel.js';
import { Notation } from './notation.js';

/** The normal distribution function, (1 + erf(x / sqrt 2)) / 2. */
function below(n: Notation, x: Operand): Operand {
  return n.mul(n.add(n.op('Erf', n.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** x -> x (1 + erf(x / sqrt 2)) / 2. */
export const gelu: Kernel = {
  name: 'Gelu',
  fuse: true,
  build: (operations, [x]) => {
    const n = new Notation(operations);
    return [n.mul(x!, below(n, x!))];
  },
};

/** gradient, x -> gradient for x. */
export const geluGradient: Kernel = {
  name: 'GeluGradient',
  fuse: true,
  build: (operations, [gradient, x]) => {
    const n = new Notation(operations);
    const density = n.mul(n.op('Exp', n.mul(n.op('Square', x!), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [n.mul(gradient!, n.add(below(n, x!), n.mul(x!, density)))];
  },
};
