import { z } from 'zod';
import { HypetuneError, show } from './errors.js';
import { unknownName } from './similar.js';

/** Settings by name, each declared once: `z.number().min(0).default(1).describe('weight of the term; 0 is off')`. */
export type Declarations = Readonly<Record<string, z.ZodType>>;
/** What a user may give for some declarations. */
export type Given<S extends Declarations> = {
  [K in keyof z.input<z.ZodObject<S>>]: z.input<z.ZodObject<S>>[K];
};
/** The same with every default filled in. */
export type Complete<S extends Declarations> = {
  readonly [K in keyof z.output<z.ZodObject<S>>]: z.output<z.ZodObject<S>>[K];
};

/** One declared setting as data, for listings, flags and pages. */
export interface SettingInfo {
  readonly type: 'number' | 'integer' | 'boolean' | 'string' | 'list' | 'object';
  /** Undefined for one without a default. */
  readonly default: unknown;
  /** What it is, with its unit. */
  readonly doc: string;
  /** What its values may be, in words: `a finite number >= 0`. */
  readonly range: string;
  readonly choices?: readonly string[];
  /** What the source uses, for pages. */
  readonly paper?: string;
  /** It is a model, in data the folder or source of one. */
  readonly model?: true;
}

/** The part of a JSON schema that is read here. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly paper?: string;
  readonly wanted?: string;
  readonly model?: true;
}

/** The JSON schema (draft 2020-12) of what may be given. */
export function jsonSchema(declarations: Declarations): Record<string, unknown> {
  const schema = z.toJSONSchema(z.strictObject(declarations), { io: 'input', unrepresentable: 'any' });
  delete schema.$schema; // it stands at the head of a document only
  return schema as Record<string, unknown>;
}

/** Each declaration as data. */
export function describeSettings(declarations: Declarations): Record<string, SettingInfo> {
  const { properties } = jsonSchema(declarations) as { properties: Record<string, JsonSchema> };
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      {
        type: typeOf(schema),
        default: schema.default,
        doc: schema.description ?? '',
        range: wanted(schema),
        ...(schema.enum && { choices: schema.enum.map(String) }),
        ...(schema.paper !== undefined && { paper: schema.paper }),
        ...(schema.model && { model: schema.model }),
      },
    ]),
  );
}

/** The default as text, `1e-5`, `normal`; empty without one. */
export function defaultText({ default: value }: SettingInfo): string {
  if (value === undefined) return '';
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Checks what was given and fills in the defaults. Throws a `HypetuneError` that names owner and setting. */
export function complete<S extends Declarations>(owner: string, declarations: S, given: object): Complete<S> {
  const result = z.strictObject(declarations).safeParse(given);
  if (result.success) return result.data as Complete<S>;
  // A misspelt name first: what else is wrong may follow from it.
  const { issues } = result.error;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  const schema = jsonSchema(declarations) as JsonSchema;
  throw new HypetuneError(`${owner}: ${issueText(issue, schema, given, 'option')}`);
}

/** What is wrong, without the owner: `scale must be a finite number >= 0, got -1.` `what` is the word for a setting. */
export function issueText(
  issue: z.core.$ZodIssue,
  schema: unknown,
  given: unknown,
  what: string,
  written: (path: readonly PropertyKey[]) => string = pathText,
): string {
  const at = issue.path.reduce(step, schema as JsonSchema);
  if (issue.code === 'unrecognized_keys') {
    const inner = [at, ...(at?.anyOf ?? [])].find((schema) => schema?.properties);
    const known = Object.keys(inner?.properties ?? {}).map((name) => written([...issue.path, name]));
    const key = written([...issue.path, issue.keys[0]!]);
    return `unknown ${what} ${unknownName(key, known, 'it has')}`;
  }
  const got = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], given);
  const custom = issue.code === 'custom' && issue.message !== 'Invalid input' ? issue.message : undefined;
  return `${written(issue.path) || 'it'} must be ${custom ?? wanted(at)}, got ${show(got)}.`;
}

/** `dropout.hidden`, `layers[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    '',
  );
}

function step(schema: JsonSchema | undefined, key: PropertyKey): JsonSchema | undefined {
  const options = schema?.anyOf ?? [schema];
  for (const option of options) {
    const inner =
      typeof key === 'number'
        ? (option?.prefixItems?.[key] ?? option?.items)
        : (option?.properties?.[String(key)] ?? option?.additionalProperties);
    if (inner) return inner;
  }
  return undefined;
}

/** What a value must be, in words. */
function wanted(schema: JsonSchema | undefined): string {
  if (!schema) return 'something else';
  if (schema.wanted !== undefined) return schema.wanted;
  if (schema.const !== undefined) return show(schema.const);
  if (schema.enum) return `one of ${schema.enum.map(show).join(', ')}`;
  if (schema.anyOf) return [...new Set(schema.anyOf.map(wanted))].join(' or ');
  if (schema.type instanceof Array)
    return schema.type.map((type) => wanted({ ...schema, type })).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `an integer${bounds(schema)}${multiple(schema)}`;
    case 'number':
      return `a finite number${bounds(schema)}${multiple(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'null':
      return 'null';
    case 'string':
      if (schema.pattern !== undefined) return `a string that matches ${schema.pattern}`;
      if (schema.minLength === 1) return 'a string that is not empty';
      return schema.minLength ? `a string of at least ${schema.minLength} characters` : 'a string';
    case 'array':
      return schema.prefixItems
        ? `a list of ${schema.prefixItems.map(wanted).join(', ')}`
        : `a list${sizes(schema)}, each entry ${wanted(schema.items)}`;
    case 'object':
      return schema.properties
        ? `an object of ${Object.keys(schema.properties).map(show).join(', ')}`
        : 'an object';
    default:
      return 'something else';
  }
}

const multiple = ({ multipleOf }: JsonSchema): string => (multipleOf ? `, a multiple of ${multipleOf}` : '');

function sizes({ minItems, maxItems }: JsonSchema): string {
  if (maxItems === undefined) return minItems ? ` of at least ${minItems}` : '';
  if (minItems === maxItems) return ` of ${maxItems}`;
  return minItems ? ` of ${minItems} to ${maxItems}` : ` of at most ${maxItems}`;
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const safe = (value: number | undefined): value is number =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const parts = [
    ...(exclusiveMinimum !== undefined ? [`> ${exclusiveMinimum}`] : []),
    ...(safe(minimum) ? [`>= ${minimum}`] : []),
    ...(exclusiveMaximum !== undefined ? [`< ${exclusiveMaximum}`] : []),
    ...(safe(maximum) ? [`<= ${maximum}`] : []),
  ];
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

function typeOf(schema: JsonSchema): SettingInfo['type'] {
  if (schema.enum || schema.type === 'string') return 'string';
  if (schema.type === 'array') return 'list';
  return schema.type === 'number' || schema.type === 'integer' || schema.type === 'boolean'
    ? schema.type
    : 'object';
}
