import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { main } from '../src/program.js';

/** What a call of the command gave. */
export interface Called {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Calls `hypetune` with these arguments in this process, on streams that are no terminal; runs are kept in a new folder unless `--store` names one. */
export async function call(...argv: string[]): Promise<Called> {
  const home = mkdtempSync(join(tmpdir(), 'hypetune-runs-'));
  process.env['HYPETUNE_STORE'] = join(home, 'store');
  const [out, error] = [capture(), capture()];
  try {
    const code = await main(argv, { out: out.stream, error: error.stream });
    return { code, out: out.text(), error: error.text() };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function capture(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
