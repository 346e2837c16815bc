import { HypetuneError, show } from '@hypetune/core';
import type { Table } from './table.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** An object a line: the columns are all keys that occur. */
export function lineRecords(text: string, file: string): Omit<Table, 'file'> {
  const objects: [line: number, value: JsonObject][] = [];
  for (const [place, source] of text.split(/\r\n|\n|\r/).entries())
    if (source.trim() !== '') objects.push([place + 1, parseObject(source, `${file}:${place + 1}`)]);
  return objectTable(objects);
}

/** An array of objects, or of an object of several arrays that called `list`; the line of a row is its number. */
export function arrayRecords(text: string, file: string, list?: string): Omit<Table, 'file'> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HypetuneError(`${file}: not JSON: ${(error as Error).message}.`);
  }
  let named = file;
  if (list !== undefined && !(value instanceof Array)) {
    const lists = checkObject(value, file);
    value = lists[list];
    if (value === undefined)
      throw new HypetuneError(
        `${file}: there is no list '${list}'; there are ${Object.keys(lists).join(', ')}.`,
      );
    named = `${file}: '${list}'`;
  }
  if (!(value instanceof Array))
    throw new HypetuneError(
      `${named}: not an array of objects, got ${show(value)}; write an object a row (pandas: to_json(path, orient='records')), the array alone.`,
    );
  return objectTable(
    value.map((row: unknown, place) => [place + 1, checkObject(row, `${file}:${place + 1}`)] as const),
  );
}

/** Objects as a table, its header every key in the order of their first appearance. */
export function objectTable(
  objects: readonly (readonly [line: number, value: JsonObject])[],
): Omit<Table, 'file'> {
  const header = [...new Set(objects.flatMap(([, value]) => Object.keys(value)))];
  return { header, rows: objects.map(([line, value]) => ({ line, cells: header.map((key) => value[key]) })) };
}

function parseObject(source: string, place: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    const isPython = /:\s*-?(?:NaN|Infinity)\b/.test(source);
    const hint = isPython ? '; NaN and Infinity, as Python writes them, are no JSON: write null' : '';
    throw new HypetuneError(`${place}: not a JSON object: ${(error as Error).message}${hint}.`);
  }
  return checkObject(value, place);
}

function checkObject(value: unknown, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !(value instanceof Array)) return value as JsonObject;
  throw new HypetuneError(`${place}: not a JSON object, got ${show(value)}.`);
}
