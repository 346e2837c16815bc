import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { openRun } from 'hypetune';
import { Batches } from './batches.js';

const [BATCH, WAITING, BYTES] = [32, 256, 1_000_000];

/** `POST /` with `{"texts": [...]}` answers what a run says of each; requests that wait share the model's batches. */
export async function serve(run: string, port = 0): Promise<{ server: Server; url: string }> {
  const model = await openRun(run);
  const batches = new Batches(async (texts: readonly string[]) => {
    // Filled up to 1, 2, 4, ... rows: an engine that compiles does so for each size of a batch.
    const size = 2 ** Math.ceil(Math.log2(texts.length));
    const filled = Array.from({ length: size }, (_, place) => texts[place] ?? texts[0]!);
    return (await model.predict(filled)).slice(0, texts.length);
  }, BATCH);

  async function answer(request: IncomingMessage): Promise<readonly [status: number, body: object]> {
    if (request.method !== 'POST') return [405, { error: 'POST {"texts": [...]}' }];
    if (!(Number(request.headers['content-length']) <= BYTES))
      return [413, { error: `send a content-length of at most ${BYTES} bytes` }];
    const body = (await json(request).catch(() => undefined)) as { texts?: unknown } | null | undefined;
    const texts: unknown[] = Array.isArray(body?.texts) ? body.texts : [];
    if (texts.length === 0 || !texts.every((text) => typeof text === 'string'))
      return [400, { error: 'texts must be a list of at least one text' }];
    if (batches.waiting + texts.length > WAITING) return [503, { error: 'too many texts wait already' }];
    return [200, { predictions: await Promise.all(texts.map((text) => batches.add(text))) }];
  }

  const server = createServer((request, response) => {
    void answer(request)
      .catch((error: unknown) => [500, { error: String(error) }] as const)
      .then(([status, body]) => {
        const later = status === 503 && { 'retry-after': '1' };
        response.writeHead(status, { 'content-type': 'application/json', ...later });
        response.end(JSON.stringify(body));
      });
  });
  server.on(
    'close',
    () =>
      void batches.done.then(() => {
        model.dispose();
      }),
  );
  await new Promise<void>((resolve) => server.listen(port, resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}` };
}

if (process.argv[1]?.endsWith('serve.ts')) {
  const { server, url } = await serve(process.argv[2]!, Number(process.argv[3] ?? 8080));
  console.log(`listening at ${url}`);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
}
