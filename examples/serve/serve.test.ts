import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { call } from '../../packages/cli/test/call.js';
import { scratch } from '../../packages/cli/test/scratch.js';
import { sentiment, tinyModel } from '../../packages/cli/test/tiny-model.js';
import { Batches } from './batches.js';
import { serve } from './serve.js';

test('requests share batches; bad input, overload and shutdown are answered', async () => {
  vi.stubEnv('HYPETUNE_ENGINE', 'cpu');
  const home = scratch();
  const run = `${home.folder}/run`;
  const table = home.write('train.tsv', sentiment(48));
  const data = ['--train', table, '--validation', table, '--model', await tinyModel(home), '--engine', 'cpu'];
  await call(
    'train',
    ...data,
    '--epochs',
    '20',
    '--learning-rate',
    '0.01',
    '--recipe',
    'nodrop',
    '--out',
    run,
  );

  const sizes: number[] = [];
  const batches = new Batches(async (items: readonly number[]) => {
    sizes.push(items.length);
    await new Promise(setImmediate);
    if (items.includes(13)) throw new Error('unlucky');
    return items.map((item) => 2 * item);
  }, 4);
  expect(await Promise.all([1, 2, 3, 4, 5, 6].map((item) => batches.add(item)))).toEqual([
    2, 4, 6, 8, 10, 12,
  ]);
  await expect(batches.add(13)).rejects.toThrow('unlucky');
  expect(await batches.add(7)).toBe(14);
  expect(sizes).toEqual([4, 2, 1, 1]);

  const { server, url } = await serve(run);
  interface Answer {
    readonly status: number;
    readonly body: Record<string, unknown>;
    readonly later: string | null;
  }
  const post = async (body: unknown): Promise<Answer> => {
    const response = await fetch(url, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    return { status: response.status, body: answer, later: response.headers.get('retry-after') };
  };
  const many = await Promise.all(
    ['the film was great', 'a night was awful', 'the food was fine'].map((text) => post({ texts: [text] })),
  );
  expect(many.map(({ status, later }) => [status, later])).toEqual(Array(3).fill([200, null]));
  const labels = many.map(({ body }) => (body.predictions as { label: string }[])[0]!.label);
  expect(labels).toEqual(['yes', 'no', 'yes']);
  for (const bad of ['{', '{}', { texts: [] }, { texts: [1] }, 'null'])
    expect((await post(bad)).status).toBe(400);
  const refused = await post({ texts: Array<string>(257).fill('the film') });
  expect([refused.status, refused.later]).toEqual([503, '1']);
  expect((await post({ texts: ['x'.repeat(1_000_001)] })).status).toBe(413);
  expect((await fetch(url)).status).toBe(405);
  const chunked = new ReadableStream({
    start: (stream) => {
      stream.enqueue(new TextEncoder().encode('{"texts":["a"]}'));
      stream.close();
    },
  });
  const unknown = { method: 'POST', body: chunked, duplex: 'half' } as RequestInit;
  expect((await fetch(url, unknown)).status).toBe(413);
  const received = once(server, 'request');
  const last = post({ texts: ['the film was great'] });
  await received;
  server.close();
  expect((await last).status).toBe(200);
  await expect(post({ texts: ['too late'] })).rejects.toThrow();
});
