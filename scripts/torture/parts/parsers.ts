import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, Script } from 'node:vm';
import { HypetuneError } from '@hypetune/core';
import { parseSafetensors, SafetensorsError, serializeSafetensors } from '@hypetune/safetensors';
import { tableOf } from '../../../packages/cli/src/tasks/table.js';
import { tarOf, zipOf } from '../../../packages/models/fixtures/archives.js';
import { tarFiles } from '../../../packages/models/src/source/tarball.js';
import { unzip } from '../../../packages/models/src/source/zip.js';
import { assembleTokenizer } from '../../../packages/models/src/tokenizer/assembled-tokenizer.js';
import { Tokenizer } from '../../../packages/models/src/tokenizer/tokenizer.js';
import {
  type Component,
  type TokenizerFile,
  TokenizerFileError,
} from '../../../packages/models/src/tokenizer/tokenizer-file.js';
import { mutated, mutatedJson } from '../mutations.js';
import { Draws, type Part, told, type Trials } from '../part.js';

/** Inputs of each kind in a trial, 10,000 in all. */
const SHARES = { safetensors: 5400, tokenizer: 1000, table: 2000, tar: 1500, zip: 100 };
type Kind = keyof typeof SHARES;
const SIZE = Object.values(SHARES).reduce((sum, share) => sum + share);
/** A folder that Linux keeps in memory. */
const MEMORY = '/dev/shm';
/** Milliseconds that no input of a few hundred bytes may take. */
const SLOW = 2000;
/** A table may: reading Parquet is ended after ten seconds. */
const slowOf = (kind: Kind): number => (kind === 'table' ? 12_000 : SLOW);

/** Inputs that are tried together. */
const GROUP = 20;

/** Tries one input: what is wrong with how it was read, or nothing. */
type Try<Wrong = string | undefined | Promise<string | undefined>> = (draws: Draws) => Wrong;

interface Tried {
  readonly fault: string | undefined;
  /** Milliseconds of the processor; the others of its group may be among them. */
  readonly took: number;
}

/** Milliseconds that this process has computed; waiting for a busy machine is no fault of an input. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Tries a group of inputs. */
type TryAll = (group: readonly Draws[]) => Promise<readonly Tried[]>;

/** Inputs one after the other, or all at once where the disk is waited for. */
const each =
  (one: Try, atOnce = false): TryAll =>
  async (group) => {
    const timed = async (draws: Draws): Promise<Tried> => {
      const began = spent();
      const fault = await one(draws);
      return { fault, took: spent() - began };
    };
    if (atOnce) return Promise.all(group.map(timed));
    const tried: Tried[] = [];
    for (const draws of group) tried.push(await timed(draws));
    return tried;
  };

export const parsers: Part = {
  name: 'parsers',
  summary:
    'Files with one to four changes (bits, bytes, pieces cut, doubled, moved; for JSON also values of other types): safetensors, tokenizer files (then three texts are encoded), tables (CSV, TSV, JSON, JSON lines, CoNLL, Parquet), tar and zip. A fault: an error that is not the format’s own, content other than an independent reading gives, a file written outside of the target, or 2 seconds (12 of a table: reading Parquet is ended after ten).',
  unit: 'inputs',
  size: SIZE,
  goal: 10_000_000,
  open: (): Promise<Trials> => {
    const scratch = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'hypetune-torture-'));
    const tries: Readonly<Record<Kind, TryAll>> = {
      safetensors: each(trySafetensors),
      tokenizer: withinTime(tryTokenizer),
      table: each(tryTable),
      tar: each(tryTar),
      zip: each(tryZip(scratch), true),
    };
    return Promise.resolve({
      run: async (trial) => {
        const faults: string[] = [];
        let slowest = 0;
        for (const [kind, share] of Object.entries(SHARES) as [Kind, number][])
          for (let first = 0; first < share; first += GROUP) {
            const group = Array.from(
              { length: GROUP },
              (_, place) => new Draws(trial, kind.length, first + place),
            );
            for (const [place, { fault, took }] of (await tries[kind](group)).entries()) {
              slowest = Math.max(slowest, took);
              if (fault !== undefined) faults.push(`${kind} ${first + place}: ${fault}`);
              else if (took > slowOf(kind)) faults.push(`${kind} ${first + place}: ${Math.round(took)} ms`);
            }
          }
        return { kinds: SHARES, faults, figures: { 'slowest input, ms': slowest } };
      },
      close: () => {
        rmSync(scratch, { recursive: true });
      },
    });
  },
};

/** Wrong unless it is an error of the kind that the reader of the format throws. */
const unless = (expected: (error: unknown) => boolean, error: unknown): string | undefined =>
  expected(error) ? undefined : told(error);

const weights = [
  serializeSafetensors(
    [
      [
        'bert.embeddings.weight',
        { dtype: 'F32', shape: [2, 3], data: Float32Array.from([1, 2, 3, 4, 5, 6]) },
      ],
      ['half', { dtype: 'F16', shape: [3], data: Float32Array.from([0.5, -2, 65504]) }],
      ['ids', { dtype: 'I64', shape: [2], data: BigInt64Array.from([1n, -5n]) }],
      ['on', { dtype: 'BOOL', shape: [2, 2], data: Uint8Array.from([1, 0, 1, 1]) }],
    ],
    { format: 'pt', note: 'a "quoted" \\ text' },
  ),
  serializeSafetensors([['x', { dtype: 'BF16', shape: [], data: Float32Array.of(1.5) }]]),
];

function trySafetensors(draws: Draws): string | undefined {
  const bytes = mutated(draws.of(weights), draws);
  try {
    const read = parseSafetensors(bytes);
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    delete (header as Record<string, unknown>)['__metadata__'];
    if (Object.keys(header).length !== read.size) return 'other tensors than the header names';
    for (const [name, { dtype, shape, data }] of read) {
      const entry = header[name]!;
      if (entry.dtype !== dtype || String(entry.shape) !== String(shape))
        return `${name}: other type or shape`;
      if (dtype === 'F16' || dtype === 'BF16') continue;
      const [begin, end] = entry.data_offsets.map((offset) => offset + 8 + length);
      const got = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      if (!got.equals(bytes.subarray(begin, end))) return `${name}: other content`;
    }
    return undefined;
  } catch (error) {
    return unless((it) => it instanceof SafetensorsError, error);
  }
}

const CASES = fileURLToPath(new URL('../../../packages/models/fixtures/tokenizers/cases/', import.meta.url));
const tokenizers = readdirSync(CASES)
  .map((name) => readFileSync(join(CASES, name), 'utf8'))
  .filter((text) => text.length < 200_000)
  .map((text) => (JSON.parse(text) as { files: Record<string, unknown> }).files);
const TEXTS = ['Hello, wörld! 你好 don’t', '  a\tb\n[MASK] ééé 12.5', '\ud83d\ude00\u200d ﬁ Ⅳ'];
/** Breaks off a pattern that runs on. As a watchdog costs more than an input, a group has one; broken off, each of its inputs gets its own. */
const withinTime = (one: Try<string | undefined>): TryAll => {
  const limited = createContext({ run: (): void => undefined });
  const script = new Script('run()');
  const run = (group: readonly Draws[]): Tried[] => {
    const tried: Tried[] = [];
    limited['run'] = (): void => {
      for (const draws of group) {
        const began = spent();
        tried.push({ fault: one(draws.again()), took: spent() - began });
      }
    };
    try {
      script.runInContext(limited, { timeout: SLOW });
      return tried;
    } catch (error) {
      return group.length > 1 ? group.flatMap((draws) => run([draws])) : [{ fault: told(error), took: SLOW }];
    }
  };
  return (group) => Promise.resolve(run(group));
};

function tryTokenizer(draws: Draws): string | undefined {
  const files = mutatedJson(draws.of(tokenizers), draws) as Readonly<Record<string, unknown>>;
  const object = (name: string): Component | undefined => {
    const value = files[name];
    return typeof value === 'object' && value !== null && !(value instanceof Array)
      ? (value as Component)
      : undefined;
  };
  const file = object('tokenizer.json') as TokenizerFile | undefined;
  const config = object('config.json');
  if (typeof file?.model !== 'object' || (file.model as unknown) === null) return undefined;
  try {
    const { file: whole, settings } = assembleTokenizer({
      modelType: typeof config?.['model_type'] === 'string' ? config['model_type'] : undefined,
      config: object('tokenizer_config.json') ?? {},
      file,
      specialTokens: object('special_tokens_map.json'),
      addedTokens: object('added_tokens.json'),
    });
    const tokenizer = new Tokenizer(whole, settings);
    tokenizer.encode(TEXTS, { maxLength: 16 });
    tokenizer.encode([[TEXTS[0]!, TEXTS[1]!]], {});
    return undefined;
  } catch (error) {
    return unless((it) => it instanceof TokenizerFileError || isPlain(it), error);
  }
}

/** An error that was thrown on purpose: of no class of the language that tells of a mistake in a program. */
function isPlain(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error && !('code' in error);
}

const FIELDS = [
  'plain',
  '',
  '5" screen',
  'a,b',
  'line\nend',
  'tab\there',
  '“quoted”',
  '0',
  '-1.5',
  'ä\u0301',
];
const ROWS = [
  ['text', 'label'],
  ['the film was good', 'yes'],
  ['a, quoted "one"', 'no'],
];
const quoted = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const tables: readonly (readonly [ending: string, bytes: Uint8Array])[] = (
  [
    ['.csv', ROWS.map((row) => row.map(quoted).join(',')).join('\n')],
    ['.tsv', ROWS.map((row) => row.join('\t')).join('\r\n')],
    [
      '.json',
      JSON.stringify([
        { text: 'a', label: 1 },
        { text: 'b', tags: ['x', 'y'] },
      ]),
    ],
    ['.jsonl', '{"text": "a", "label": "yes"}\n{"text": "b\\u00e4", "label": null}\n'],
    ['.conll', '-DOCSTART- O\n\nEU\tB-ORG\nrejects\tO\n\nPeter\tB-PER\n'],
    ['.json', '[[1, 2], {"a": 1}]'],
  ] as const
).map(([ending, text]) => [ending, new TextEncoder().encode(text)]);
const PARQUET = fileURLToPath(new URL('../../../packages/cli/test/fixtures/', import.meta.url));
const parquet = readdirSync(PARQUET)
  .filter((name) => name.endsWith('.parquet'))
  .map((name) => new Uint8Array(readFileSync(join(PARQUET, name))));

async function tryTable(draws: Draws): Promise<string | undefined> {
  if (draws.below(4) === 0) return tryWritten(draws);
  const [ending, bytes] =
    parquet.length > 0 && draws.below(12) === 0 ? ['.parquet', draws.of(parquet)] : draws.of(tables);
  try {
    await tableOf(mutated(bytes, draws), `x${ending}`);
    return undefined;
  } catch (error) {
    return unless((it) => it instanceof HypetuneError, error);
  }
}

/** A table that is written as CSV has it must be read as it was. */
async function tryWritten(draws: Draws): Promise<string | undefined> {
  const width = 1 + draws.below(4);
  const rows = Array.from({ length: 2 + draws.below(4) }, () =>
    Array.from({ length: width }, (_, column) => (column === 0 ? 'x' : '') + draws.of(FIELDS)),
  );
  const text = rows.map((row) => row.map(quoted).join(',')).join(draws.of(['\n', '\r\n'])) + '\n';
  const { header, rows: read } = await tableOf(new TextEncoder().encode(text), 'x.csv');
  const got = JSON.stringify([header, ...read.map(({ cells }) => cells)]);
  return got === JSON.stringify(rows) ? undefined : `wrote ${JSON.stringify(rows)}, read ${got}`;
}

const CONTENT = {
  'package/model.bin': 'weights',
  'package/a/b.txt': 'text',
  [`package/${'n'.repeat(120)}`]: 'x',
};
const tar = tarOf(CONTENT);
const zip = zipOf(CONTENT);

function tryTar(draws: Draws): string | undefined {
  try {
    for (const { data } of tarFiles(withSum(mutated(tar, draws), draws), 'x.tar'))
      if (data.length > tar.length * 4) return 'more than there is';
    return undefined;
  } catch (error) {
    return unless(isPlain, error);
  }
}

/** Half of the damaged headers get a sum that fits, so that what follows is reached. */
function withSum(bytes: Uint8Array, draws: Draws): Uint8Array {
  if (draws.below(2) === 0 || bytes.length < 512) return bytes;
  const header = bytes.subarray(0, 512);
  header.fill(32, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return bytes;
}

function tryZip(scratch: string): Try {
  let number = 0;
  return async (draws) => {
    const home = join(scratch, String(number++));
    const folder = join(home, 'inside');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, 'x.zip'), mutated(zip, draws));
    try {
      await unzip(join(home, 'x.zip'), folder);
    } catch (error) {
      if (!isPlain(error)) return told(error);
    } finally {
      const beside = readdirSync(home).join();
      rmSync(home, { recursive: true });
      if (beside !== 'inside,x.zip') return `wrote beside its folder: ${beside}`;
    }
    return undefined;
  };
}
