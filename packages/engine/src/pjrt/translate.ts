import type { Attribute } from '../recording/attribute.js';
import { NotRecorded } from '../recording/recorder-setting.js';
import { elementwise } from './operations/elementwise.js';
import { indexing } from './operations/indexing.js';
import { products } from './operations/products.js';
import { reductions } from './operations/reductions.js';
import { shapes } from './operations/shapes.js';
import type { Program, Term } from './program.js';

/** Writes one of TensorFlow's operations into a program: its results. */
export type Translation = (
  program: Program,
  inputs: readonly Term[],
  attribute: (name: string) => unknown,
) => Term[];

const translations: ReadonlyMap<string, Translation> = new Map([
  ...Object.entries(elementwise),
  ...Object.entries(reductions),
  ...Object.entries(shapes),
  ...Object.entries(products),
  ...Object.entries(indexing),
]);

/** The operations that are translated. */
export const translated: readonly string[] = [...translations.keys()];

/** Throws NotRecorded for an operation that is not translated, or not with such inputs. */
export function translate(
  program: Program,
  name: string,
  inputs: readonly Term[],
  attributes: readonly Attribute[],
): Term[] {
  const translation = translations.get(name);
  if (translation === undefined)
    throw new NotRecorded(`${name} is not translated for XLA: it runs on the host`);
  return translation(program, inputs, (key) => attributes.find((attribute) => attribute.name === key)?.value);
}
