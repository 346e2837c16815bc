import { foldIn, type Key } from '@hypetune/ops';

/**
 * Runs `f` with `Math.random` drawing from `key`. What tfjs draws without a seed begins with `Math.random`, in its layers and in a
 * user's; this makes a user's own model as reproducible as ours.
 */
export function scopedRandom<T>(key: Key, f: () => T): T {
  const original = Math.random;
  let counter = 0;
  Math.random = () => {
    const [high] = foldIn(key, counter++);
    return high / 2 ** 32;
  };
  try {
    return f();
  } finally {
    Math.random = original;
  }
}
