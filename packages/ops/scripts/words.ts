/**
 * Writes the generator's words to standard output without end, for batteries of tests: draws of shape [16, 64, 384] under the keys of
 * successive steps, or with `seeds` the first word under each of the consecutive seeds.
 *
 *     node --conditions=@hypetune/source --import tsx packages/ops/scripts/words.ts [seeds] | dieharder -g 200 -a
 */
import { fillWords, foldIn, seedKey, threefry } from '@hypetune/ops';

const shape = [16, 64, 384];
const words = new Int32Array(16 * 64 * 384);
const run = seedKey(7);
for (let block = 0; ; block++) {
  if (process.argv[2] === 'seeds') {
    for (let i = 0; i < words.length; i++) words[i] = threefry(seedKey(block * words.length + i), 0, 0)[0];
  } else fillWords(words, shape, foldIn(run, block));
  await new Promise((done) => process.stdout.write(Buffer.from(words.buffer), done));
}
