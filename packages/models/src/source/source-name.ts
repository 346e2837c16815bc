import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** A source as parsed: where it is fetched from, what is asked for and, where given, which version. */
export type Source =
  | { readonly kind: 'file'; readonly text: string; readonly path: string }
  | {
      readonly kind: 'pip' | 'npm' | 'hf';
      readonly text: string;
      readonly name: string;
      readonly version?: string;
    };

const PIP = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==([A-Za-z0-9][A-Za-z0-9.+!_-]*))?$/;
const NPM = /^((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@([A-Za-z0-9][A-Za-z0-9.+_-]*))?$/;
const WORD = '[A-Za-z0-9][A-Za-z0-9._-]*';
const HUB = new RegExp(
  `^((?:${WORD}/)?${WORD}|datasets/${WORD}/${WORD}(?:/${WORD})*)(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?$`,
);

const FORMS = {
  pip: { pattern: PIP, form: 'pip:NAME or pip:NAME==VERSION' },
  npm: { pattern: NPM, form: 'npm:NAME or npm:NAME@VERSION' },
  hf: { pattern: HUB, form: 'hf:OWNER/NAME or hf:datasets/OWNER/NAME/FOLDER, also with @REVISION' },
} as const;

/**
 * Reads `pip:NAME[==V]`, `npm:NAME[@V]`, `hf:OWNER/NAME[@revision]` (a model), `hf:datasets/OWNER/NAME[/FOLDER][@revision]`,
 * `file:PATH` or a plain path. What follows a prefix
 * is checked, so that nothing but a name and a version reaches a command line or an address.
 */
export function parseSource(text: string): Source {
  const [, prefix, rest] = /^([a-z]{2,}):(.*)$/s.exec(text) ?? [];
  if (prefix === undefined || rest === undefined || prefix === 'file') {
    const path = rest ?? text;
    if (path === '') throw new Error(`the source "${text}" names no folder; write file:PATH or a path`);
    return { kind: 'file', text, path: resolve(path.replace(/^~(?=$|\/)/, homedir())) };
  }
  if (!(prefix in FORMS)) {
    throw new Error(`unknown source "${text}"; write pip:NAME, npm:NAME, hf:OWNER/NAME, file:PATH or a path`);
  }
  const kind = prefix as keyof typeof FORMS;
  const [, name, version] = FORMS[kind].pattern.exec(rest) ?? [];
  if (name === undefined || rest.includes('..'))
    throw new Error(`"${text}" is not a source of the form ${FORMS[kind].form}`);
  return { kind, text, name, ...(version === undefined ? {} : { version }) };
}
