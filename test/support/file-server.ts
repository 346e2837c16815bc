import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** A running server and its address, without a slash at the end. */
export interface FileServer {
  readonly origin: string;
  close(): void;
}

/**
 * Serves folders, by the first part of the path, and texts, by the whole path, on a free port of this machine; `isolated` with
 * the headers that let a page share memory with its workers.
 */
export async function serveFiles(
  folders: Readonly<Record<string, string>>,
  pages: Readonly<Record<string, string>>,
  isolated = false,
): Promise<FileServer> {
  const server: Server = createServer((request, response) => {
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const page = pages[path];
    if (page !== undefined) {
      response.setHeader('content-type', TYPES[extname(path)] ?? 'text/html').end(page);
      return;
    }
    const [, first = '', ...rest] = normalize(path).split('/');
    const file = folders[first] === undefined ? undefined : join(folders[first], ...rest);
    if (file === undefined || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.setHeader('content-length', statSync(file).size);
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
