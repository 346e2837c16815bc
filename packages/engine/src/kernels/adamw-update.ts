import type { Kernel } from '../recording/kernel.js';
import { Notation } from './notation.js';

/**
 * gradient g, firstMoment m, secondMoment v, parameter; scalars stepSize, secondScale, decay; attributes beta1, beta2,
 * epsilon -> update, new m, new v: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
 * update = -(stepSize m / (secondScale sqrt(v) + epsilon) + decay parameter).
 */
export const adamwUpdate: Kernel = {
  name: 'AdamwUpdate',
  fuse: true,
  replaces: [undefined, 1, 2],
  build: (operations, inputs, attributes) => {
    const n = new Notation(operations);
    const [gradient, firstMoment, secondMoment, parameter, stepSize, secondScale, decay] = inputs;
    const [beta1, beta2, epsilon] = attributes.map(({ value }) => value) as [number, number, number];
    const first = n.add(n.mul(firstMoment!, beta1), n.mul(gradient!, 1 - beta1));
    const second = n.add(n.mul(secondMoment!, beta2), n.mul(n.op('Square', gradient!), 1 - beta2));
    const root = n.add(n.mul(n.op('Sqrt', second), secondScale!), epsilon);
    const step = n.mul(n.div(first, root), stepSize!);
    return [n.op('Neg', n.add(step, n.mul(parameter!, decay!))), first, second];
  },
};
