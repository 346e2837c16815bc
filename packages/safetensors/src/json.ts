/** A JSON value that keeps what `JSON.parse` loses: repeated keys are errors, numbers keep their digits, objects are maps. */
export type JsonValue = string | JsonNumber | boolean | null | JsonValue[] | Map<string, JsonValue>;

/** The digits of a number as written. */
export class JsonNumber {
  constructor(readonly digits: string) {}
}

/** Raised by {@link parseJson}: `path` holds the keys on the way, `duplicate` the key that comes twice. */
export class JsonError extends Error {
  constructor(
    message: string,
    readonly path: readonly string[],
    readonly duplicate?: string,
  ) {
    super(message);
  }
}

/** A piece of a string: plain characters, or one escape. A pattern for the whole string would recurse once a character. */
const PLAIN = /[^"\\\u0000-\u001f]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERALS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;
const MAX_DEPTH = 8;

/** Parses the whole of `text` as one JSON value. */
export function parseJson(text: string): JsonValue {
  let at = 0;
  const path: string[] = [];

  function fail(wanted: string): never {
    const got = at < text.length ? JSON.stringify(text.slice(at, at + 12)) : 'the end';
    throw new JsonError(`at character ${at}: expected ${wanted}, got ${got}`, [...path]);
  }
  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  }
  function skipSpace(): void {
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at += 1;
  }
  function take(character: string): boolean {
    skipSpace();
    if (text[at] !== character) return false;
    at += 1;
    return true;
  }
  function string(wanted: string): string {
    skipSpace();
    const start = at;
    if (text[at] !== '"') fail(wanted);
    at += 1;
    while (match(PLAIN) !== undefined || match(ESCAPE) !== undefined);
    if (text[at] !== '"') {
      at = start;
      fail(wanted);
    }
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  }
  function object(depth: number): Map<string, JsonValue> {
    const entries = new Map<string, JsonValue>();
    if (take('}')) return entries;
    do {
      const key = string('a key in double quotes');
      if (entries.has(key)) throw new JsonError(`the key "${key}" comes twice`, [...path], key);
      if (!take(':')) fail('":"');
      path.push(key);
      entries.set(key, value(depth + 1));
      path.pop();
    } while (take(','));
    if (!take('}')) fail('"," or "}"');
    return entries;
  }
  function array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    if (take(']')) return items;
    do items.push(value(depth + 1));
    while (take(','));
    if (!take(']')) fail('"," or "]"');
    return items;
  }
  function value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} levels`);
    if (take('{')) return object(depth);
    if (take('[')) return array(depth);
    if (text[at] === '"') return string('a string');
    const digits = match(NUMBER);
    if (digits !== undefined) return new JsonNumber(digits);
    for (const [literal, meaning] of LITERALS) {
      if (text.startsWith(literal, at)) {
        at += literal.length;
        return meaning;
      }
    }
    return fail('a value');
  }

  const result = value(0);
  skipSpace();
  if (at < text.length) fail('nothing more');
  return result;
}
