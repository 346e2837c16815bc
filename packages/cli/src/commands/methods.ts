import { defaultText, isMethod, isMethodPlugin, listPairs, type MethodInfo } from '@hypetune/core';
import { type Command, Help } from 'commander';
import { type Config, readConfig } from '../config-file.js';
import { headline, methodNamed, type Methods, openModules } from '../methods.js';
import { print, printResult, type Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

export function addMethods(program: Command, terminal: Terminal): void {
  program
    .command('methods')
    .description('list the methods, or the options of one')
    .argument('[name]', 'a method')
    .option('--config <file>', 'also the methods that this config file brings')
    .addOption(jsonFlag())
    .action(async (name: string | undefined, { config, json }: { config?: string; json?: true }) => {
      const methods = await methodsOf(config === undefined ? {} : await readConfig(config));
      const method = name === undefined ? undefined : methodNamed(name, methods);
      printResult(terminal, json, method ? asData(method) : [...methods.values()].map(asData), () => {
        const room = terminal.out.columns;
        print(terminal, method ? methodCard(method, room) : methodList(methods, room));
      });
    });
}

/** The methods a config may name, and those whose plugins it holds. */
async function methodsOf(config: Config): Promise<Methods> {
  const entries = [...(config.recipes ?? []), config.recipe ?? []].flat();
  const plugins = entries.flatMap((entry) => (typeof entry === 'string' ? [] : (entry.plugins ?? [])));
  const held = plugins.flatMap((plugin) => {
    if (isMethod(plugin)) return [plugin];
    return typeof plugin === 'object' && isMethodPlugin(plugin) ? [plugin.method] : [];
  });
  return new Map([
    ...(await openModules(config.methods)).methods,
    ...held.map((method) => [method.name, method] as const),
  ]);
}

/** What a method's declaration says. */
function asData({ name, summary, source, cost, options, pairs }: MethodInfo): object {
  return { name, summary, source, cost, options, pairs: listPairs(pairs) };
}

/** Every method in a line, or in several where a terminal is narrow. */
export function methodList(methods: Methods, room?: number): string {
  const lines = [...methods.values()].map((method) => [method.name, headline(method)]);
  return columns(lines, room);
}

/** One method: source, cost, options with range and default, and how it stands beside others. */
export function methodCard(method: MethodInfo, room?: number): string {
  const { name, cost, options, pairs } = method;
  const lines = Object.entries(options).map(([option, info]) => [
    ...[`  ${option}`, defaultText(info) || '-', info.range, info.doc],
  ]);
  const others = listPairs(pairs).map(({ with: other, verdict, reason }) => [
    ...[`  ${other}`, verdict, reason],
  ]);
  return [
    `${name}: ${headline(method)}`,
    `cost: ${cost}`,
    ...(lines.length > 0 ? ['options, their defaults and what they may be:', columns(lines, room)] : []),
    ...(others.length > 0 ? ['beside other methods:', columns(others, room)] : []),
  ].join('\n');
}

/** The last column of fewer letters stands on lines of its own. */
const NARROW = 24;

/** Cells under each other; the last column is wrapped to what room there is. */
function columns(rows: readonly (readonly string[])[], room = Infinity): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const own = room - before < NARROW;
  const indent = own ? 6 : before;
  const help = Object.assign(new Help(), { minWidthToWrap: 1 });
  const lines = rows.map((row) => {
    const first = row.slice(0, -1).map((cell, column) => cell.padEnd(widths[column]!));
    const last = room === Infinity ? row.at(-1)! : help.boxWrap(row.at(-1)!, room - indent);
    return [...first, own ? `\n${last}` : last].join('  ').replaceAll('\n', `\n${' '.repeat(indent)}`);
  });
  return lines.join('\n').replace(/ +$/gm, '');
}
