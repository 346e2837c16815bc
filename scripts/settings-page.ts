// Fills in the tables of docs/settings.md from the declarations of the command's and the trainer's settings.
import {
  type Declarations,
  defaultText,
  describeSettings,
  dropoutSettings,
  optimizerSettings,
  scheduleSettings,
  trainerSettings,
} from '@hypetune/core';
import { configEntries } from '../packages/cli/src/config-schema.js';
import { flagName, flags, settings } from '../packages/cli/src/settings.js';
import { fillParts, table } from './generated.js';

/** The page with its tables made anew. */
export function settingsPage(page: string): Promise<string> {
  return fillParts(page, {
    data: commandTable('Data'),
    training: commandTable('Training'),
    engine: commandTable('Engine'),
    recipes: rows(configEntries, ['setting', 'values', 'meaning'], (name, { range, doc }) => [
      ...[code(name), range, doc],
    ]),
    trainer: trainerTable(trainerSettings),
    optimizer: trainerTable(optimizerSettings),
    schedule: trainerTable(scheduleSettings),
    dropout: trainerTable(dropoutSettings),
  });
}

function commandTable(group: string): string {
  const own = Object.fromEntries(
    Object.entries(settings).filter(([, declaration]) => flags.get(declaration)?.group === group),
  );
  return rows(own, ['setting', 'flag', 'values', 'default', 'meaning'], (name, { range, doc }) => {
    const { value, unlessGiven = '' } = flags.get(own[name]!)!;
    const negated = value === undefined && unlessGiven === 'true';
    const flag = negated ? flagName(name).replace('--', '--no-') : flagName(name);
    return [code(name), code(value === undefined ? flag : `${flag} <${value}>`), range, unlessGiven, doc];
  });
}

function trainerTable(declarations: Declarations): string {
  return rows(declarations, ['option', 'values', 'default', 'meaning'], (name, info) => [
    ...[code(name), info.range, code(info.type === 'object' ? '' : defaultText(info)), info.doc],
  ]);
}

type Info = ReturnType<typeof describeSettings>[string];

function rows(
  declarations: Declarations,
  head: readonly string[],
  cells: (name: string, info: Info) => readonly string[],
): string {
  const lines = Object.entries(describeSettings(declarations)).map(([name, info]) =>
    cells(name, info).map((cell) => cell.replaceAll('|', '\\|')),
  );
  return table(head, lines);
}

const code = (text: string): string => text && `\`${text}\``;
