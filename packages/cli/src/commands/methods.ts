import type { SettingInfo } from '@hypetune/core';
import type { Command } from 'commander';
import { METHODS, methodNamed } from '../methods.js';
import { print, type Terminal } from '../terminal.js';

export function addMethods(program: Command, terminal: Terminal): void {
  program
    .command('methods')
    .description('list the methods, or the options of one')
    .argument('[name]', 'a method')
    .action((name: string | undefined) => {
      print(terminal, name === undefined ? methodList() : methodCard(name));
    });
}

/** Every method in a line. */
export function methodList(): string {
  const width = Math.max(...[...METHODS.keys()].map((name) => name.length));
  return [...METHODS.values()].map(({ name, summary }) => `${name.padEnd(width)}  ${summary}`).join('\n');
}

/** One method with its options, their defaults and what they cost. */
export function methodCard(name: string): string {
  const { summary, cost, options } = methodNamed(name);
  const lines = Object.entries(options).map(([option, info]) => [option, valueOf(info), info.doc] as const);
  const widths = [0, 1].map((column) => Math.max(0, ...lines.map((line) => line[column]!.length)));
  return [
    `${name}: ${summary}`,
    `cost: ${cost}`,
    ...lines.map(
      ([option, value, doc]) => `  ${option.padEnd(widths[0]!)}  ${value.padEnd(widths[1]!)}  ${doc}`,
    ),
  ].join('\n');
}

function valueOf({ type, choices, default: value }: SettingInfo): string {
  const kind = choices ? choices.join(' | ') : type;
  return value === undefined ? kind : `${kind} = ${JSON.stringify(value)}`;
}
