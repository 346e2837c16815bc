import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { archivePath } from './archive-path.js';
import { sentencePieceAlone, sentencePieceHint } from '../tokenizer/sentence-piece.js';
import type { FetchContext } from './fetcher.js';

/** A kind of repository of the hub. */
interface Repository {
  /** Its name where the hub lists files, and where it gives them. */
  readonly listed: string;
  readonly name: string;
  readonly wanted: (file: string) => boolean;
  /** Why nothing of these files can be used; undefined where something can. */
  readonly refused: (files: readonly string[], all: readonly string[]) => string | undefined;
}

const MODEL_FILES =
  /^(config\.json|model[^/]*\.safetensors|model\.safetensors\.index\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(txt|json)|merges\.txt)$/;
const PICKLED = /\.(bin|pt|pth|h5|ckpt)$/;
const TABLES = /\.(parquet|jsonl|ndjson|json|csv|tsv|txt|conll|bio|iob2?)(\.gz)?$/;
const NOT_TABLES = /(^|\/)(dataset_infos?|README|LICENSE)\b[^/]*$/i;

function repositoryOf(source: string): Repository {
  const [kind, owner, name, ...folder] = source.split('/');
  if (kind !== 'datasets')
    return {
      ...{ listed: `models/${source}`, name: source, wanted: (file) => MODEL_FILES.test(file) },
      refused: (files, all) => {
        if (files.some((file) => file.endsWith('.safetensors'))) {
          const model = sentencePieceAlone(all);
          return model && sentencePieceHint(model, source.split('/').at(-1)!, source);
        }
        const pickled = all.find((file) => PICKLED.test(file));
        const instead =
          pickled === undefined ? '' : `, only ${pickled}, which is never read because it can run code`;
        return `the model has no safetensors weights${instead}`;
      },
    };
  const data = `datasets/${owner!}/${name!}`;
  const below = folder.length > 0 ? `${folder.join('/')}/` : '';
  return {
    ...{ listed: data, name: data },
    wanted: (file) => file.startsWith(below) && TABLES.test(file) && !NOT_TABLES.test(file),
    refused: (files, all) => {
      if (files.length > 0) return undefined;
      const script = all.find((file) => file.endsWith('.py'));
      return script === undefined
        ? `the data set has no tables${below && ` in ${below}`} (Parquet, JSON lines, CSV, TSV)`
        : `the data set is the program ${script}, which is never run; tables of it are at @refs/convert/parquet`;
    },
  };
}

interface HubFile {
  readonly rfilename: string;
  readonly size?: number;
  /** Git's hash of the content; of a file that the hub keeps elsewhere it is that of a pointer. */
  readonly blobId?: string;
  readonly lfs?: { readonly sha256?: string };
}

/**
 * Downloads a model's configuration, safetensors weights and tokenizer, or the tables of a data set, into `staging.files`,
 * each checked by the size and hash that the hub lists. HF_ENDPOINT names another hub, HF_TOKEN a token. False where `tried`
 * says why not.
 */
export async function fetchFromHub(context: FetchContext): Promise<boolean> {
  const { source, version = 'main', staging, tried } = context;
  const { hub, headers } = hubAccess();
  const revision = encodeURIComponent(version);
  const repository = repositoryOf(source.name);
  const listing = `${hub}/api/${repository.listed}/revision/${revision}?blobs=true`;
  const response = await get(listing, headers, context);
  if (!response) return false;
  const listed = (await response.json().catch((error: unknown) => error as Error)) as
    { readonly siblings?: HubFile[] } | Error;
  if (listed instanceof Error) {
    tried.push(`${listing}: the answer is no list of files: ${reasonOf(listed)}`);
    return false;
  }
  const { siblings = [] } = listed;
  const files = siblings.filter(({ rfilename }) => repository.wanted(rfilename));
  const names = (some: readonly HubFile[]): string[] => some.map(({ rfilename }) => rfilename);
  const refused = repository.refused(names(files), names(siblings));
  if (refused !== undefined) {
    tried.push(`${listing}: ${refused}`);
    return false;
  }
  const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
  let received = 0;
  for (const file of files) {
    const address = `${hub}/${repository.name}/resolve/${revision}/${file.rfilename}`;
    const body = (await get(address, headers, context))?.body;
    if (!body) return false;
    const path = archivePath(staging.files, file.rfilename, source.text);
    await mkdir(dirname(path), { recursive: true });
    const hash = listedHash(file);
    let bytes = 0;
    let broken: Error | undefined;
    await pipeline(
      untilBroken(body, (error) => (broken = error)),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.byteLength;
          hash?.update(chunk);
          context.report(received + bytes, total);
          yield chunk;
        }
      },
      createWriteStream(path),
      ...(context.signal ? [{ signal: context.signal }] : []),
    );
    if (broken) {
      tried.push(`${address}: broke off after ${bytes} of ${file.size ?? 'its'} bytes: ${reasonOf(broken)}`);
      return false;
    }
    received += bytes;
    const wrong = hash?.wrong() ?? '';
    if (wrong !== '' || bytes !== (file.size ?? bytes)) {
      tried.push(`${address}: got ${bytes} bytes${wrong}, the hub lists ${file.size ?? bytes} bytes`);
      return false;
    }
  }
  return true;
}

/** The pieces of a body until it ends; `tell` is called where the connection ends before. */
async function* untilBroken(
  body: AsyncIterable<Uint8Array>,
  tell: (error: Error) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    tell(error as Error);
  }
}

/** What the content of a file must hash to, if the hub says it: `wrong` says how it does not. */
function listedHash({
  lfs,
  blobId,
  size,
}: HubFile): { update(chunk: Uint8Array): void; wrong(): string } | undefined {
  const [kind, wanted] = lfs?.sha256 ? (['sha256', lfs.sha256] as const) : (['sha1', blobId] as const);
  if (wanted === undefined || (kind === 'sha1' && (lfs || size === undefined))) return undefined;
  const hash = createHash(kind);
  if (kind === 'sha1') hash.update(`blob ${size!}\0`);
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    wrong: () => {
      const digest = hash.digest('hex');
      return digest === wanted ? '' : ` of ${kind} ${digest} and not ${wanted}`;
    },
  };
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
    tried.push(`${address}: ${reasonOf(error)}`);
  }
  return undefined;
}

/** Why `fetch` failed: what lies behind its error says more. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
