import type { Kernel } from '../recording/kernel.js';

/** x, gradient -> the same, behind one barrier, which XLA takes away on processors before it merges what is equal. */
export const holdBack: Kernel = {
  name: 'HoldBack',
  parts: true,
  build: (operations, inputs) => operations.barriers(inputs),
};
