/** Keys whose values `transformers` 5 declares as floats alone: it refuses a whole number there. */
const FLOATS = /_(eps|range|factor|theta)$/;

/** Stands before a whole number that is to be written as a float. */
const MARK = '\0';

/** The text of a config.json, in which JavaScript's whole numbers are floats where Python wants them so: 2 as 2.0. */
export function configText(config: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(marked(config), null, 2);
  return `${text.replace(/"\\u0000([^"]+)"/g, (_, number: string) => (/^-?\d+$/.test(number) ? `${number}.0` : number))}\n`;
}

function marked(value: unknown, key = ''): unknown {
  if (Number.isInteger(value) && FLOATS.test(key)) return `${MARK}${value as number}`;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => marked(part));
  // The keys of label2id are a user's words.
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === 'label2id' ? part : marked(part, name)]),
  );
}
