import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyFlags } from '../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;

/** A metric that has no value on every second set of rows. */
const METRIC = `let calls = 0;
export const gap = { name: 'gap', greaterIsBetter: false, compute: () => (calls++ % 2 === 0 ? NaN : 0.5) };
`;

test('a metric that is no number is left out of a comparison, and a saved run has it as it was', async () => {
  const table = write('train.tsv', sentiment(12));
  write('gap.mjs', METRIC);
  const config = write('gap.json', JSON.stringify({ methods: ['./gap.mjs'], metrics: ['gap', 'accuracy'] }));
  const settings = ['--config', config, ...(await tinyFlags(home, table)), '--steps', '1'];
  const compared = await call(
    ...['compare', ...settings, '--recipes', 'vanilla,nodrop', '--seeds', '2'],
    ...['--store', join(folder, 'store')],
  );
  expect([compared.code, compared.error]).toEqual([0, expect.not.stringContaining('error')]);
  expect(compared.out).toMatch(/^vanilla +1 +- /m);
  expect(compared.out).toMatch(/^vanilla +1 +0\.5000 /m);
  expect(compared.out).toContain('left out: vanilla · train.tsv · seed 1: gap is no number.');

  const run = join(folder, 'run');
  const trained = await call('train', ...settings, '--recipe', 'vanilla', '--out', run);
  expect(trained.out).toMatch(/^gap NaN, accuracy /m);
  const page = join(folder, 'run.html');
  expect(await call('report', run, '--out', page)).toMatchObject({ code: 0 });
  expect(readFileSync(page, 'utf8')).toContain('<th scope="row">gap</th><td>NaN</td>');
  const exported = join(folder, 'exported');
  expect((await call('export', run, '--out', exported, '--dtype', 'fp32')).code).toBe(0);
  expect(existsSync(join(exported, 'onnx'))).toBe(true);
  expect(readFileSync(join(exported, 'README.md'), 'utf8')).toMatch(/^\| gap \| NaN \|/m);
});
