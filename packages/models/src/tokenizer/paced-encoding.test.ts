import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { encodeAll } from './paced-encoding.js';
import { Tokenizer } from './tokenizer.js';

const model = { type: 'WordLevel', unk_token: '?', vocab: { '?': 0, a: 1, b: 2 } };
const tokenizer = new Tokenizer({ model, pre_tokenizer: { type: 'WhitespaceSplit' } });
// Twice as long for each further letter.
const endless = new Tokenizer({
  model,
  pre_tokenizer: { type: 'Split', pattern: { Regex: '^(a|a)*$' }, behavior: 'Isolated', invert: false },
});
const trap = `${'a'.repeat(60)}b`;

test('many texts are encoded as few are, with word of the progress', async () => {
  const texts = Array.from({ length: 600 }, (_, i) => (i % 2 ? 'a b' : 'b'));
  const seen: number[] = [];
  const encoded = await encodeAll(tokenizer, texts, { onProgress: (done, total) => seen.push(done, total) });
  expect(encoded).toEqual(tokenizer.encode(texts));
  expect(seen).toEqual([256, 600, 512, 600, 600, 600]);
  expect(await encodeAll(tokenizer, ['a b'], { maxLength: 1 })).toEqual(tokenizer.encode(['a'], {}));
  expect(await encodeAll(tokenizer, [{ words: ['a', 'b b'] }])).toEqual(
    tokenizer.encodeWords([['a', 'b b']]),
  );
  expect(await encodeAll(tokenizer, [])).toEqual([]);
});

test('others come to their turn, and a signal ends it', async () => {
  const controller = new AbortController();
  setImmediate(() => {
    controller.abort(new Error('enough'));
  });
  const texts = Array.from({ length: 100_000 }, () => 'a b');
  const seen: number[] = [];
  const encoding = encodeAll(tokenizer, texts, {
    signal: controller.signal,
    onProgress: (done) => seen.push(done),
  });
  await expect(encoding).rejects.toThrow('enough');
  expect(seen.length).toBeLessThan(10);
});

test('a pattern that hardly ends is broken off at the limit, and the text named', async () => {
  await expect(encodeAll(endless, ['b', trap], { timeLimit: 0.3 })).rejects.toThrow(
    /text 2 of 2 could not be tokenized within 0\.3 s; .*Regex/,
  );
});

test('an error of the tokenizer is its own', async () => {
  await expect(encodeAll(tokenizer, ['a'], { maxLength: 0 })).rejects.toThrow(/maxLength must leave room/);
});

test('Ctrl-C breaks a pattern that hardly ends', async () => {
  // In a process of its own: the test's own would get the signal otherwise.
  const code = `
    import { encodeAll, Tokenizer } from '@hypetune/models';
    const tokenizer = new Tokenizer({
      model: ${JSON.stringify(model)},
      pre_tokenizer: { type: 'Split', pattern: { Regex: '^(a|a)*$' }, behavior: 'Isolated', invert: false },
    });
    const controller = new AbortController();
    process.on('SIGINT', () => controller.abort(new Error('heard')));
    console.log('ready');
    encodeAll(tokenizer, ['${trap}'], { signal: controller.signal }).catch((error) => console.log(error.message));`;
  const child = spawn(process.execPath, [
    '--conditions=@hypetune/source',
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    code,
  ]);
  const lines: string[] = [];
  child.stdout.on('data', (data: Buffer) => lines.push(data.toString()));
  child.stderr.on('data', (data: Buffer) => lines.push(data.toString()));
  await once(child.stdout, 'data');
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill('SIGINT');
  await once(child, 'close');
  expect(lines.join('')).toBe('ready\nheard\n');
});
