import { TokenizerFileError } from './tokenizer-file.js';

const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
// \w alone has the superscripts and fractions of Latin-1 as well.
const SHORT_WORD = `${WORD}\\u{b2}\\u{b3}\\u{b9}\\u{bc}-\\u{be}`;
// Characters that differ by case alone from others than their own lower and upper case.
const IRREGULAR = Array.from(
  '\u017f\u212a\u212b\u1e9e\u03c2\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u1e9b\u0345\u1fbe\u03f4\u2126\u00b5',
);
const SHORTHANDS: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  h: '0-9A-Fa-f',
  s: '\\p{White_Space}',
  w: SHORT_WORD,
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7, e: 27 };
const POSIX: Readonly<Record<string, string>> = {
  alnum: '\\p{Alphabetic}\\p{Nd}',
  alpha: '\\p{Alphabetic}',
  ascii: '\\x00-\\x7f',
  blank: '\\p{Zs}\\t',
  cntrl: '\\p{Cc}',
  digit: '\\p{Nd}',
  lower: '\\p{Lowercase}',
  punct: '\\p{P}\\p{S}',
  space: '\\p{White_Space}',
  upper: '\\p{Uppercase}',
  word: WORD,
  xdigit: '0-9A-Fa-f',
};
const ANCHORS: Readonly<Record<string, string>> = {
  A: '(?<![\\s\\S])',
  z: '(?![\\s\\S])',
  Z: '(?=\\n?(?![\\s\\S]))',
  b: `(?:(?<=[${SHORT_WORD}])(?![${SHORT_WORD}])|(?<![${SHORT_WORD}])(?=[${SHORT_WORD}]))`,
  B: `(?:(?<=[${SHORT_WORD}])(?=[${SHORT_WORD}])|(?<![${SHORT_WORD}])(?![${SHORT_WORD}]))`,
  R: '(?:\\r\\n|[\\n-\\r\\u{85}\\u{2028}\\u{2029}])',
};

/**
 * The pattern of an expression in Oniguruma's syntax, which the library `tokenizers` reads Split and Replace with.
 * Throws on what has no equal here: recursion, conditions, `\G`, `\K`, `\X`.
 */
export function oniguruma(source: string): RegExp {
  const translation = new Translation(source);
  try {
    return new RegExp(translation.whole(), 'gv');
  } catch (error) {
    if (error instanceof TokenizerFileError) throw error;
    throw new TokenizerFileError(
      `the pattern ${JSON.stringify(source)} cannot be read: ${(error as Error).message}`,
    );
  }
}

/** One pass over the source by recursive descent: alternatives, quantified atoms, groups and classes. */
class Translation {
  private position = 0;
  private ignoreCase = false;
  private dotAll = false;
  private extended = false;
  private atomic = 0;

  constructor(private readonly source: string) {}

  whole(): string {
    const result = this.alternatives();
    if (this.position < this.source.length) throw this.unsupported('an unmatched )');
    return result;
  }

  private alternatives(): string {
    let result = '';
    while (this.position < this.source.length && this.peek() !== ')') {
      if (this.take('|')) result += '|';
      else result += this.quantified();
    }
    return result;
  }

  private quantified(): string {
    let atom = this.atom();
    if (atom === '') return '';
    for (;;) {
      const quantifier = this.quantifier();
      if (quantifier === undefined) return atom;
      const repeated = `(?:${atom})${quantifier}`;
      if (this.take('?')) atom = `${repeated}?`;
      // A + after {2,3} is a quantifier of its own, after * + ? it forbids to go back.
      else if (quantifier.length === 1 && this.take('+')) atom = this.once(repeated);
      else atom = repeated;
    }
  }

  private quantifier(): string | undefined {
    for (const sign of ['*', '+', '?']) if (this.take(sign)) return sign;
    const range = /^\{(\d*)(,?)(\d*)\}/.exec(this.source.slice(this.position));
    if (!range || range[1]! + range[3]! === '') return undefined;
    this.position += range[0].length;
    return `{${range[1] || '0'}${range[2]!}${range[3]!}}`;
  }

  /** A group that is never entered again once left: a look-ahead that captures, and its repetition. */
  private once(body: string): string {
    const name = `once${this.atomic++}`;
    return `(?=(?<${name}>${body}))\\k<${name}>`;
  }

  private atom(): string {
    const character = this.next();
    if (this.extended && /\s/.test(character)) return '';
    if (this.extended && character === '#') {
      while (this.position < this.source.length && this.next() !== '\n');
      return '';
    }
    switch (character) {
      case '(':
        return this.group();
      case '[':
        return this.bracket();
      case '.':
        return this.dotAll ? '[\\s\\S]' : '[^\\n]';
      case '^':
        return '(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))';
      case '$':
        // Not (?![^\n]), which V8 finds inside a character beyond 16 bits.
        return '(?=\\n|$)';
      case '\\':
        return this.escape(false);
      default:
        return this.literal(character);
    }
  }

  private group(): string {
    const before = { ignoreCase: this.ignoreCase, dotAll: this.dotAll, extended: this.extended };
    const close = (open: string): string => {
      const body = this.alternatives();
      if (!this.take(')')) throw this.unsupported('an unclosed (');
      Object.assign(this, before);
      return `${open}${body})`;
    };
    if (!this.take('?')) return close('(?:');
    for (const open of [':', '=', '!', '<=', '<!']) if (this.take(open)) return close(`(?${open}`);
    const name = /^P?<[A-Za-z_]\w*>/.exec(this.source.slice(this.position));
    if (name) {
      this.position += name[0].length;
      return close('(?:');
    }
    if (this.take('>')) return this.once(close('(?:'));
    if (this.take('#')) {
      while (this.next() !== ')');
      return '';
    }
    const flags = /^([imx]*)(?:-([imx]*))?([:)])/.exec(this.source.slice(this.position));
    if (!flags) throw this.unsupported('a group');
    this.position += flags[0].length;
    for (const [names, value] of [
      [flags[1]!, true],
      [flags[2] ?? '', false],
    ] as const) {
      if (names.includes('i')) this.ignoreCase = value;
      if (names.includes('m')) this.dotAll = value;
      if (names.includes('x')) this.extended = value;
    }
    // Without a body the options hold to the end of the group around, alternatives included.
    if (flags[3] === ':') return close('(?:');
    return `(?:${this.alternatives()})`;
  }

  private bracket(): string {
    const negated = this.take('^');
    const members = this.members(true);
    this.position++;
    return `[${negated ? '^' : ''}${members}]`;
  }

  /** What stands in a class, up to its end; a `]` at the very start is a member. */
  private members(first: boolean): string {
    let members = '';
    for (; first || this.peek() !== ']'; first = false) {
      if (this.take('&&')) return `[${members}]&&[${this.members(false)}]`;
      const character = this.next();
      if (character === '[') members += this.posix() ?? this.bracket();
      else members += this.member(character);
    }
    return members;
  }

  private posix(): string | undefined {
    const match = /^:(\^?)([a-z]+):\]/.exec(this.source.slice(this.position));
    if (!match) return undefined;
    this.position += match[0].length;
    const set = Object.hasOwn(POSIX, match[2]!) ? POSIX[match[2]!] : undefined;
    if (set === undefined) throw this.unsupported(`[:${match[2]!}:]`);
    return match[1] ? `[^${set}]` : set;
  }

  private member(character: string): string {
    const from = character === '\\' ? this.escape(true) : this.code(character.codePointAt(0)!);
    const single = /^\\u\{([0-9a-f]+)\}$/.exec(from);
    if (!single) return from;
    if (this.peek() !== '-' || this.source[this.position + 1] === ']') return this.cases(single[1]!);
    this.position++;
    const last = this.next();
    const to = last === '\\' ? this.escape(true) : this.code(last.codePointAt(0)!);
    if (this.ignoreCase && !/^\\u\{[0-9a-f]{1,2}\}$/.test(to)) throw this.unsupported('a range without case');
    if (!this.ignoreCase) return `${from}-${to}`;
    let members = '';
    const end = parseInt(to.slice(3), 16);
    for (let code = parseInt(single[1]!, 16); code <= end; code++) members += this.cases(code.toString(16));
    return members;
  }

  private escape(inClass: boolean): string {
    const character = this.next();
    const lower = character.toLowerCase();
    if (lower in SHORTHANDS) {
      const set = SHORTHANDS[lower]!;
      if (character !== lower) return `[^${set}]`;
      return inClass ? set : `[${set}]`;
    }
    if (character === 'p' || character === 'P') return this.property(character === 'P');
    if (character in CONTROLS) return this.code(CONTROLS[character]!);
    if (character === 'x' || character === 'u') {
      const digits = /^\{([0-9a-fA-F]+)\}|^[0-9a-fA-F]{1,4}/.exec(this.source.slice(this.position));
      if (!digits) throw this.unsupported(`\\${character}`);
      const plain = digits[1] ?? digits[0].slice(0, character === 'x' ? 2 : 4);
      this.position += digits[1] === undefined ? plain.length : digits[0].length;
      return this.code(parseInt(plain, 16));
    }
    if (!inClass && character in ANCHORS) return ANCHORS[character]!;
    if (/[A-Za-z0-9]/.test(character)) throw this.unsupported(`\\${character}`);
    return inClass ? this.code(character.codePointAt(0)!) : this.literal(character);
  }

  private property(outer: boolean): string {
    const match = /^\{(\^?)([^}]+)\}/.exec(this.source.slice(this.position));
    if (!match) throw this.unsupported('\\p');
    this.position += match[0].length;
    const negated = outer !== (match[1] === '^');
    const name = match[2]!.toLowerCase();
    // The property Punct is the category, the bracket [:punct:] has symbols too; Word is \w.
    const known: Readonly<Record<string, string>> = { ...POSIX, punct: '\\p{P}', word: SHORT_WORD };
    const posix = Object.hasOwn(known, name) ? known[name] : undefined;
    if (posix !== undefined) return negated ? `[^${posix}]` : `[${posix}]`;
    for (const name of [match[2]!, `Script=${match[2]!}`]) {
      const property = `\\${negated ? 'P' : 'p'}{${name}}`;
      try {
        new RegExp(property, 'v');
        return property;
      } catch {
        continue;
      }
    }
    throw this.unsupported(`\\p{${match[2]!}}`);
  }

  private literal(character: string): string {
    const code = character.codePointAt(0)!.toString(16);
    const cases = this.cases(code);
    return cases === `\\u{${code}}` ? cases : `[${cases}]`;
  }

  /** The character and, where case is ignored, those that differ from it by case alone. */
  private cases(code: string): string {
    const character = String.fromCodePoint(parseInt(code, 16));
    if (!this.ignoreCase) return `\\u{${code}}`;
    const same = new RegExp(`^\\u{${code}}$`, 'iv');
    const others = [character.toLowerCase(), character.toUpperCase(), ...IRREGULAR];
    const all = new Set([character, ...others.filter((other) => same.test(other))]);
    return [...all].map((other) => this.code(other.codePointAt(0)!)).join('');
  }

  private code(code: number): string {
    return `\\u{${code.toString(16)}}`;
  }

  private peek(): string | undefined {
    return this.source[this.position];
  }

  private take(text: string): boolean {
    const found = this.source.startsWith(text, this.position);
    if (found) this.position += text.length;
    return found;
  }

  private next(): string {
    const code = this.source.codePointAt(this.position);
    if (code === undefined) throw this.unsupported('an end before its time');
    const character = String.fromCodePoint(code);
    this.position += character.length;
    return character;
  }

  private unsupported(what: string): TokenizerFileError {
    return new TokenizerFileError(`the pattern ${JSON.stringify(this.source)} cannot be read: ${what}`);
  }
}
