import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';

const home = scratch();
const model = join(home.folder, 'model');
const weights = Buffer.from(Array.from({ length: 40_000 }, (_, place) => place % 251));
const files: Readonly<Record<string, string | Buffer>> = {
  ...{ 'README.md': '# card\n', 'config.json': '{"model_type":"bert"}', 'model.safetensors': weights },
  ...{ 'onnx/model.onnx': weights.subarray(1), 'predictions.jsonl': '{"text":"of a person"}\n' },
  ...{ 'checkpoint.safetensors': weights, '.secret': 'mine' },
};
for (const [name, content] of Object.entries(files)) {
  mkdirSync(dirname(join(model, name)), { recursive: true });
  writeFileSync(join(model, name), content);
}

/** A hub that answers as huggingface.co does: repositories, upload modes, Git LFS, commits as lines of JSON. */
class Hub {
  readonly repositories = new Map<
    string,
    { readonly visibility: string; readonly files: Map<string, Buffer> }
  >();
  readonly large = new Map<string, Buffer>();
  readonly commits: string[] = [];
  readonly tokens = new Set<string | undefined>();
  readonly server: Server = createServer((request, response) => {
    void this.#answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown?]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const json = <T>(): T => JSON.parse(body.toString()) as T;
    const path = request.url!.split('?')[0]!;
    if (path.startsWith('/storage/')) {
      this.large.set(path.slice('/storage/'.length), body);
      return [200];
    }
    this.tokens.add(request.headers.authorization);
    if (request.headers.authorization !== 'Bearer hf_good') return [401, { error: 'Invalid token' }];
    if (path === '/api/repos/create') {
      const { name, organization, visibility } = json<Record<string, string>>();
      this.repositories.set(`${organization!}/${name!}`, { visibility: visibility!, files: new Map() });
      return [200, { url: `${this.address}/${organization!}/${name!}`, id: '1' }];
    }
    const lfs = /^\/(.+)\.git\/info\/lfs\/objects\/batch$/.exec(path);
    if (lfs) {
      const { objects } = json<{ objects: { oid: string; size: number }[] }>();
      const upload = (oid: string): object => ({ upload: { href: `${this.address}/storage/${oid}` } });
      return [
        200,
        { transfer: 'basic', objects: objects.map((one) => ({ ...one, actions: upload(one.oid) })) },
      ];
    }
    const [, name, what] = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(.*))?$/.exec(path) ?? [];
    const repository = this.repositories.get(name ?? '');
    if (repository === undefined) return [404, { error: 'Repository not found' }];
    if (what === 'preupload/main') {
      const asked = json<{ files: { path: string; size: number }[] }>().files;
      const mode = (path: string): string => (/\.(safetensors|onnx)$/.test(path) ? 'lfs' : 'regular');
      return [
        200,
        { files: asked.map((one) => ({ ...one, uploadMode: mode(one.path), shouldIgnore: false })) },
      ];
    }
    if (what === 'commit/main') {
      for (const line of body.toString().trim().split('\n')) {
        const { key, value } = JSON.parse(line) as { key: string; value: Record<string, string> };
        if (key === 'header') this.commits.push(value['summary']!);
        if (key === 'file')
          repository.files.set(value['path']!, Buffer.from(value['content']!, value['encoding'] as 'base64'));
        if (key === 'lfsFile') repository.files.set(value['path']!, this.large.get(value['oid']!)!);
      }
      return [
        200,
        { success: true, commitOid: 'c0ffee', commitUrl: `${this.address}/${name!}/commit/c0ffee` },
      ];
    }
    return [200, { id: name }];
  }
}

const hub = new Hub();
beforeEach(async () => {
  await new Promise<void>((resolve) => hub.server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('HF_ENDPOINT', hub.address);
  vi.stubEnv('HF_TOKEN', 'hf_good');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => hub.server.close(resolve));
  hub.server.closeAllConnections();
});

test('push makes a private repository and commits the folder, weights by LFS, without what is nobody else’s', async () => {
  const { code, out, error } = await call('push', model, 'me/films', '--message', 'first');
  expect([code, error]).toEqual([0, expect.stringContaining('made me/films, private')]);
  expect(out).toBe(`${hub.address}/me/films at c0ffee\n`);
  const { visibility, files: there } = hub.repositories.get('me/films')!;
  expect([visibility, hub.commits]).toEqual(['private', ['first']]);
  expect([...there.keys()].sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'onnx/model.onnx',
  ]);
  for (const [path, content] of there)
    expect(content.equals(readFileSync(join(model, path))), path).toBe(true);
  expect([...hub.large.keys()]).toContain(createHash('sha256').update(weights).digest('hex'));

  const again = await call('push', model, 'me/films', '--json');
  expect(JSON.parse(again.out)).toMatchObject({ commit: 'c0ffee', files: [...there.keys()].sort() });
  expect(again.error).not.toContain('made');
});

test('what is pushed does not tell where things lie on this machine', async () => {
  const record = {
    version: 1,
    finished: true,
    config: { train: '/home/ada/films.csv', model: '/home/ada/base' },
  };
  writeFileSync(join(model, 'hypetune.json'), JSON.stringify(record));
  writeFileSync(join(model, 'README.md'), 'Tuned from `/home/ada/base` on /home/ada/films.csv');
  expect((await call('push', model, 'me/places')).error).toContain('made me/places');
  const { files: there } = hub.repositories.get('me/places')!;
  expect(JSON.parse(there.get('hypetune.json')!.toString())).toMatchObject({
    config: { train: 'films.csv', model: 'base' },
  });
  expect(there.get('README.md')!.toString()).toBe('Tuned from `base` on films.csv');
  rmSync(join(model, 'hypetune.json'));
});

test('push says what is wrong: name, folder, token, what the hub answers', async () => {
  const error = async (...argv: string[]): Promise<string> => (await call('push', ...argv)).error;
  expect(await error(model, 'films')).toContain("a repository is named owner/name, got 'films'");
  expect(await error(home.folder, 'me/films')).toContain('there is no config.json');
  vi.stubEnv('HF_TOKEN', '');
  expect(await error(model, 'me/films')).toContain('set HF_TOKEN');
  vi.stubEnv('HF_TOKEN', 'hf_bad');
  const refused = await error(model, 'me/films');
  expect(refused).toMatch(/me\/films: it answered 401: .*Invalid token/);
  expect(refused).not.toContain('hf_bad');
  vi.stubEnv('HF_ENDPOINT', 'http://hub.example.org');
  expect(await error(model, 'me/films')).toContain('would travel readable');
});
