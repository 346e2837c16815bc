/** An error that is the caller's to mend; the message says what, where, got, wanted and what to do. */
export class HypetuneError extends Error {
  override readonly name: string = 'HypetuneError';
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Refuse `min` itself. */
  readonly above?: boolean;
  /** Refuse `max` itself. */
  readonly below?: boolean;
  readonly integer?: boolean;
}

/** Checks a numeric option: `hype: scale must be a finite number >= 0, got -1.` */
export function checkNumber(owner: string, option: string, value: unknown, range: Range = {}): number {
  const { min = -Infinity, max = Infinity, above, below, integer } = range;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    (above ? value > min : value >= min) &&
    (below ? value < max : value <= max) &&
    (!integer || Number.isInteger(value));
  if (fits) return value;
  const bounds = [
    ...(min > -Infinity ? [`${above ? '>' : '>='} ${min}`] : []),
    ...(max < Infinity ? [`${below ? '<' : '<='} ${max}`] : []),
  ].join(' and ');
  const kind = integer ? 'an integer' : 'a finite number';
  throw new HypetuneError(
    `${owner}: ${option} must be ${kind}${bounds && ` ${bounds}`}, got ${show(value)}.`,
  );
}

/** Checks an option that names one of a few choices. */
export function checkChoice<T extends string>(
  owner: string,
  option: string,
  value: unknown,
  choices: readonly T[],
): T {
  if ((choices as readonly unknown[]).includes(value)) return value as T;
  throw new HypetuneError(
    `${owner}: ${option} must be one of ${choices.map((c) => `'${c}'`).join(', ')}, got ${show(value)}.`,
  );
}

/** Refuses option names that a method does not have. */
export function checkKeys(owner: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options))
    if (!known.includes(key))
      throw new HypetuneError(
        `${owner}: unknown option '${key}'; it has ${known.map((k) => `'${k}'`).join(', ')}.`,
      );
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
