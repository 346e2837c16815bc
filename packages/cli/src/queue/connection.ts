import { HypetuneError } from '@hypetune/core';
import type * as BullMQ from 'bullmq';
import { note, type Terminal } from '../terminal.js';

/** Where a queue of runs is. */
export interface QueueAddress {
  /** `redis://` or `rediss://`, with user and password where the server wants them. */
  readonly url: string;
  readonly name: string;
}

/** The queue's name on its server where none is given. */
export const QUEUE_NAME = 'hypetune';

/** Throws where the name is none of a queue. */
export function queueAddress(url: string, name: string): QueueAddress {
  if (/^[\w.-]+$/.test(name)) return { url, name };
  throw new HypetuneError(`--queue-name: must be letters, digits, dots, - and _, got '${name}'.`);
}

/** `1 worker`, `2 workers`. */
export function countOf(workers: number): string {
  return `${workers} worker${workers === 1 ? '' : 's'}`;
}

/** A server's address without its password. */
export function shown(url: string): string {
  return url.replace(/(:\/\/[^/@]*:)[^/@]*@/, '$1***@');
}

/** BullMQ, an optional package, once it is sure that a Redis answers. Throws where either is missing, and says what to do. */
export async function openBull({ url }: QueueAddress): Promise<typeof BullMQ> {
  if (!/^rediss?:\/\/./.test(url))
    throw new HypetuneError(`a queue is a Redis as redis://localhost:6379, got '${shown(url)}'.`);
  const [bull, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
      throw new HypetuneError(
        'a queue needs two packages that are not here; run npm install bullmq@6 ioredis@5 beside hypetune.',
      );
    },
  );
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 10_000 });
  let why = '';
  client.on('error', (error: Error) => (why ||= error.message || String((error as { code?: unknown }).code)));
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new HypetuneError(
      `${shown(url)}: no Redis answers there (${why || (error as Error).message}); start one, as redis-server, or name another.`,
    );
  } finally {
    client.disconnect();
  }
  return bull;
}

/** What every connection is made with: a server that is away for a while is waited for. */
export function connectionOf({ url }: QueueAddress): { readonly connection: BullMQ.RedisOptions } {
  return { connection: { url, maxRetriesPerRequest: null } };
}

/** Milliseconds between two words about a server that is away. */
const WORD = 60_000;

/** Says now and then that the server is away; the connection is made again by itself. */
export function noteOutages(
  connected: { on(event: 'error', listener: (error: Error) => void): unknown },
  terminal: Terminal,
): void {
  let said = -Infinity;
  connected.on('error', (error) => {
    if (performance.now() - said < WORD) return;
    said = performance.now();
    note(terminal, `the queue: ${error.message || 'no answer'}; trying on`);
  });
}
