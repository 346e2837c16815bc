import type { Kernel } from '../recording/kernel.js';
import { Notation } from './notation.js';

/** x -> the sum of its squares []: of each row first, which is exact to a few digits more than one long sum. */
export const sumOfSquares: Kernel = {
  name: 'SumOfSquares',
  fuse: true,
  build: (operations, [x]) => {
    const n = new Notation(operations);
    const rows = n.sumLast(n.op('Square', n.rows(x!)));
    return [n.sum(n.reshape(rows, [rows.shape[0]!]), 0)];
  },
};
