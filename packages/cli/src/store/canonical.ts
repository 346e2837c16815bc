import { createHash } from 'node:crypto';

/** JSON with the keys of every object in order, so that equal values are equal texts. */
export function canonicalJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, part: unknown) => sortedKeys(part), indent);
}

function sortedKeys(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

/** The SHA-256 of a text or of bytes, in hexadecimal. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
