import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { archivePath } from './archive-path.js';
import type { FetchContext } from './fetcher.js';

const WANTED =
  /^(config\.json|model[^/]*\.safetensors|model\.safetensors\.index\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(txt|json)|merges\.txt)$/;
const PICKLED = /\.(bin|pt|pth|h5|ckpt)$/;

interface HubFile {
  readonly rfilename: string;
  readonly size?: number;
  readonly lfs?: { readonly sha256?: string };
}

/**
 * Downloads a model's configuration, safetensors weights and tokenizer into `staging.files`, each checked by the size
 * and sha256 that the hub lists. HF_ENDPOINT names another hub, HF_TOKEN a token. False where `tried` says why not.
 */
export async function fetchHubModel(context: FetchContext): Promise<boolean> {
  const { source, version = 'main', staging, tried } = context;
  const { hub, headers } = hubAccess();
  const revision = encodeURIComponent(version);
  const listing = `${hub}/api/models/${source.name}/revision/${revision}?blobs=true`;
  const response = await get(listing, headers, context);
  if (!response) return false;
  const { siblings = [] } = (await response.json()) as { siblings?: HubFile[] };
  const files = siblings.filter(({ rfilename }) => WANTED.test(rfilename));
  if (!files.some(({ rfilename }) => rfilename.endsWith('.safetensors'))) {
    const pickled = siblings.find(({ rfilename }) => PICKLED.test(rfilename))?.rfilename;
    const instead =
      pickled === undefined ? '' : `, only ${pickled}, which is never read because it can run code`;
    tried.push(`${listing}: the model has no safetensors weights${instead}`);
    return false;
  }
  const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
  let received = 0;
  for (const file of files) {
    const address = `${hub}/${source.name}/resolve/${revision}/${file.rfilename}`;
    const body = (await get(address, headers, context))?.body;
    if (!body) return false;
    const path = archivePath(staging.files, file.rfilename, source.text);
    await mkdir(dirname(path), { recursive: true });
    const hash = createHash('sha256');
    let bytes = 0;
    await pipeline(
      body,
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.byteLength;
          hash.update(chunk);
          context.report(received + bytes, total);
          yield chunk;
        }
      },
      createWriteStream(path),
      ...(context.signal ? [{ signal: context.signal }] : []),
    );
    received += bytes;
    const digest = hash.digest('hex');
    const wanted = file.lfs?.sha256 ?? digest;
    if (digest !== wanted || bytes !== (file.size ?? bytes)) {
      tried.push(
        `${address}: got ${bytes} bytes of sha256 ${digest}, the hub lists ${file.size ?? bytes} bytes of ${wanted}`,
      );
      return false;
    }
  }
  return true;
}

/**
 * Where the hub is (`HF_ENDPOINT`, else huggingface.co) and the headers to send it (`HF_TOKEN`); these in no error text, for they hold a
 * secret. Throws where a token would travel readable.
 */
export function hubAccess(): { hub: string; headers: Record<string, string> } {
  const given = process.env.HF_ENDPOINT ?? 'https://huggingface.co';
  if (!URL.canParse(given)) throw new Error('HF_ENDPOINT must be an address, as https://hub.example.org.');
  const address = new URL(given);
  const { username, password } = address;
  address.username = address.password = '';
  const hub = address.href.replace(/\/+$/, '');
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(address.hostname);
  const token = process.env.HF_TOKEN;
  if (token !== undefined && !/^[\x21-\x7e]*$/.test(token))
    throw new Error('HF_TOKEN must be one line of printable characters without spaces.');
  if ((token || password) && address.protocol !== 'https:' && !local)
    throw new Error(
      'HF_ENDPOINT is not an https address, so a token or password would travel readable; unset HF_TOKEN or use https.',
    );
  if (token) return { hub, headers: { authorization: `Bearer ${token}` } };
  if (!username) return { hub, headers: {} };
  const basic = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { hub, headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` } };
}

async function get(
  address: string,
  headers: Record<string, string>,
  { signal, tried }: FetchContext,
): Promise<Response | undefined> {
  try {
    const response = await fetch(address, { headers, signal: signal ?? null });
    if (response.ok) return response;
    const hint =
      response.status === 401 || response.status === 403 ? ' (a private or gated model needs HF_TOKEN)' : '';
    tried.push(`${address}: status ${response.status}${hint}`);
  } catch (error) {
    signal?.throwIfAborted();
    const { message, cause } = error as Error;
    tried.push(`${address}: ${cause instanceof Error ? cause.message : message}`);
  }
  return undefined;
}
