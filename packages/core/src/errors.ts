/** An error that is the caller's to mend; the message says what, where, got, wanted and what to do. */
export class HypetuneError extends Error {
  override readonly name: string = 'HypetuneError';
}

/** A short print of any value for an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { constructor } = value;
  if (constructor !== Object && !Array.isArray(value)) return `an object of class ${constructor.name}`;
  try {
    const text = JSON.stringify(value);
    return text.length <= MAX_PRINT ? text : `${text.slice(0, MAX_PRINT)}...`;
  } catch {
    return 'an object';
  }
}

const MAX_PRINT = 200;
