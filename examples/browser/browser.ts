/** Bundles the page into a folder and serves it: `browser.ts [MODEL FOLDER] [PORT]`. */
import { cpSync, createReadStream, mkdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const app = fileURLToPath(new URL('app', import.meta.url));
const wasm = join(
  dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')),
  '../wasm-out',
);

/** Writes the page: four files that any server of files can serve. */
export async function bundlePage(folder: string): Promise<void> {
  await build({
    entryPoints: [join(app, 'page.ts'), join(app, 'worker.ts')],
    ...{ outdir: folder, bundle: true, minify: true, format: 'esm', platform: 'browser' },
    ...{ conditions: ['@hypetune/source'], logLevel: 'warning' },
  });
  cpSync(join(app, 'index.html'), join(folder, 'index.html'));
  mkdirSync(join(folder, 'wasm'), { recursive: true });
  const binary = 'tfjs-backend-wasm-simd.wasm';
  cpSync(join(wasm, binary), join(folder, 'wasm', binary));
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** With the first two a page may have threads; the third lets it load nothing from elsewhere and send nothing there ('unsafe-eval' is for tapable). */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'content-security-policy':
    "default-src 'self' blob: data:; script-src 'self' blob: 'unsafe-eval'; style-src 'unsafe-inline'",
};

/** Serves the page, and a model's folder as `model/`, to this machine alone. */
export async function servePage(page: string, model = page, port = 0): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url!, 'http://localhost').pathname));
    const file = path.startsWith('/model/')
      ? join(model, path.slice('/model/'.length))
      : join(page, path === '/' ? 'index.html' : path);
    const found = statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(found ? 200 : 404, { ...HEADERS, 'content-type': type });
    if (found) createReadStream(file).pipe(response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return server;
}

if (process.argv[1]?.endsWith('browser.ts')) {
  const [model, port = '8080'] = process.argv.slice(2);
  const page = '.hypetune/examples/browser';
  await bundlePage(page);
  await servePage(page, model, Number(port));
  console.log(`http://localhost:${port}/${model === undefined ? '' : '?model=model/'}`);
}
