import { describeSettings } from '@hypetune/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { QUEUE_NAME, type QueueAddress, queueAddress } from '../queue/connection.js';
import { checkFlags, flagName, flags, type Settings, settings } from '../settings.js';

/** The flag of every command that has a result. */
export const jsonFlag = (): Option => new Option('--json', 'print the result as JSON');

/** The flag of every command that does runs: where they are kept. */
export const storeFlag = (help: string): Option =>
  new Option('--store <folder>', help).env('HYPETUNE_STORE').default('hypetune-runs');

/** What `addQueueFlags` adds. */
export interface QueueFlags {
  readonly queue?: string;
  readonly queueName: string;
}

/** The flags of commands that leave runs to workers, or look at them. */
export function addQueueFlags(command: Command, help: string): Command {
  return command.option('--queue <redis>', `${help}, as redis://localhost:6379`).addOption(queueNameFlag());
}

export const queueNameFlag = (): Option =>
  new Option('--queue-name <name>', 'which queue of that Redis').default(QUEUE_NAME);

/** The queue that is named, if one is. */
export function queueOf({ queue, queueName }: QueueFlags): QueueAddress | undefined {
  return queue === undefined ? undefined : queueAddress(queue, queueName);
}

/** Reads a number given as a flag. */
export function numberFlag(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`it must be a number.`);
}

/** Reads `a,b,c`. */
export function listFlag(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** Collects a flag that may be given several times. */
export function repeatedFlag(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

/** Reads `balanced`, or `1,2.5`. */
function weightsFlag(text: string): string | number[] {
  return text === 'balanced' ? text : listFlag(text).map(numberFlag);
}

/** A flag that is one text, or a list of them when it is given several times. */
function repeatable(text: string, before: string | readonly string[] | undefined): string | string[] {
  return before === undefined ? text : [...[before].flat(), text];
}

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  number: numberFlag,
  integer: numberFlag,
  list: listFlag,
};

/** Every setting as data; several commands have a flag for each. */
const DECLARED = describeSettings(settings);

/** The flag of a setting, made from its declaration. */
export function settingFlag(name: keyof typeof settings): Option {
  const { type, doc, choices } = DECLARED[name]!;
  const { value, unlessGiven, group } = flags.get(settings[name])!;
  const help = doc + (unlessGiven ? ` (default: ${unlessGiven})` : '');
  const flag = flagName(name);
  const on = unlessGiven !== 'true';
  const option =
    type === 'boolean'
      ? new Option(on ? flag : flag.replace('--', '--no-'), on ? help : `do not ${doc}`)
      : new Option(`${flag} <${value ?? 'value'}>`, help);
  if (choices && type !== 'list') option.choices(choices);
  else if (name === 'labelColumn') option.argParser(repeatable);
  else if (name === 'classWeights') option.argParser(weightsFlag);
  else if (READERS[type]) option.argParser(READERS[type]);
  return option.helpGroup(`${group}:`);
}

/** Adds the flags of every setting. */
export function addSettingFlags(command: Command): Command {
  for (const name of Object.keys(settings) as (keyof typeof settings)[]) command.addOption(settingFlag(name));
  return command;
}

/** The settings among the flags that were given on the command line. */
export function settingsOf(command: Command, others: readonly string[]): Settings {
  const given = Object.entries(command.opts()).filter(
    ([name]) => !others.includes(name) && command.getOptionValueSource(name) === 'cli',
  );
  const settings = Object.fromEntries(given);
  if (!(settings.labelColumn instanceof Array)) return checkFlags(settings);
  const { labelColumn: labelColumns, ...rest } = settings;
  return checkFlags({ ...rest, labelColumns });
}
