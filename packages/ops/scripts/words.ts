/**
 * Writes the generator's words to standard output without end, for batteries of tests: draws of 393,216 words under the keys of
 * successive steps, or with `seeds` the first word under each of the consecutive seeds.
 *
 *     node --conditions=development --import tsx packages/ops/scripts/words.ts [seeds] | dieharder -g 200 -a
 */
import { fillWords, foldIn, seedKey, threefry } from '@hypetune/ops';

const words = new Int32Array(393_216);
const run = seedKey(7);
for (let block = 0; ; block++) {
  if (process.argv[2] === 'seeds') {
    for (let i = 0; i < words.length; i++) words[i] = threefry(seedKey(block * words.length + i), 0, 0)[0];
  } else fillWords(words, foldIn(run, block));
  await new Promise((done) => process.stdout.write(Buffer.from(words.buffer), done));
}
