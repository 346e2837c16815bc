// Fills in the option table of every method's README from its declaration.
import { existsSync } from 'node:fs';
import { defaultText, type MethodInfo, type SettingInfo } from '@hypetune/core';
import { registry } from '../test/support/registry.js';
import { fillParts, table } from './generated.js';

/** The methods with a page of their own; a variant stands on that of its method. */
export const pages: ReadonlyMap<MethodInfo, URL> = new Map(
  registry
    .map(({ method }) => [method, new URL(`../packages/${method.name}/README.md`, import.meta.url)] as const)
    .filter(([, page]) => existsSync(page)),
);

/** A method's page with its option table made anew. */
export function optionPage(page: string, { options }: MethodInfo): Promise<string> {
  return fillParts(page, { options: optionTable(options) });
}

function optionTable(options: MethodInfo['options']): string {
  const code = (text: string): string => text && `\`${text}\``;
  const cells = Object.entries(options).map(([name, info]: [string, SettingInfo]) =>
    [code(name), code(defaultText(info)), info.range, info.doc, info.paper ?? ''].map((cell) =>
      cell.replaceAll('|', '\\|'),
    ),
  );
  return table(['option', 'default', 'values', 'meaning', 'in the paper and its code'], cells);
}
