import { createHash } from 'node:crypto';

/** A short name for what JSON can hold: the same for the same content, in every process. */
export function digest(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}
