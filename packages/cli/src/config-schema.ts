import { METRIC_NAMES, type Plugin } from '@hypetune/core';
import { z } from 'zod';
import { headline, METHODS } from './methods.js';
import { metricEntry, recipeSettings, settings } from './settings.js';

const rate = z.number().min(0).lt(1);
const isPlugin = (value: unknown): boolean => typeof (value as Partial<Plugin> | null)?.apply === 'function';
const recipeName = z.string().describe('vanilla, nodrop, or methods joined by +, as hype+r3f');
const pluginEntry = z.union(
  [
    z.string(),
    z.custom((value) => typeof value === 'function' || isPlugin(value)),
    z.strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()).optional() }),
  ],
  'must be a method, { name, options }, a plugin or a function that makes one',
);
const grid = z
  .record(z.string(), z.array(z.unknown()).min(1))
  .describe('values to go over, by method.option or setting: a recipe for each combination');
const recipeEntry = z.union([
  recipeName,
  z.strictObject({
    name: z.string().describe('what the recipe is called in the report'),
    plugins: z.array(pluginEntry).optional(),
    dropout: z.strictObject({ hidden: rate.optional(), attention: rate.optional() }).optional(),
    settings: z.strictObject(recipeSettings).optional().describe('settings of this recipe alone'),
    grid: grid.optional(),
  }),
]);
const seed = z.int().min(0);

/** What a config file may hold beside the settings. */
export const configEntries = {
  recipe: recipeEntry.optional().describe('train: a stack of methods'),
  recipes: z.array(recipeEntry).min(1).optional().describe('compare: the others are compared with the first'),
  grid: grid.optional().describe('compare: values to go over in every recipe that has the method'),
  tasks: z
    .array(z.union([z.string(), z.strictObject({ name: z.string().optional(), ...settings })]))
    .min(1)
    .optional()
    .describe('compare: several tasks, by name or by the settings that differ'),
  claim: z
    .strictObject({
      better: recipeName.describe('the recipe that is said to be better: a name of recipes, or a stack'),
      than: recipeName.describe('the recipe that it is compared with'),
      by: z.number().default(0).describe('how much better at least'),
      metric: z.string().optional().describe("what is compared; the first of the task's unless given"),
      seeds: z.int().min(3).default(20).describe('budget: pairs of runs at most, of each task'),
      alpha: z.number().gt(0).lt(1).default(0.05).describe('how often a wrong answer may be given'),
    })
    .optional()
    .describe('verify: what is to be shown'),
  seed: seed.optional().describe('train'),
  seeds: z
    .union([z.int().min(1), z.array(seed).min(1)])
    .optional()
    .describe('compare: how many, from 1, or which; verify: which, as many as the claim has'),
  methods: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('modules whose methods and metrics may be named: files beside the config, or packages'),
};

/** What a config file may hold. */
export const configSchema: z.ZodType = z.strictObject({ ...settings, ...configEntries });

interface JsonObject {
  [key: string]: unknown;
}

/**
 * JSON schema (draft 2020-12) of the config files that are data, for editors and validators: settings, recipes, and of every
 * method its options. Where `methods` brings others, names of methods and metrics that are not known here are let through.
 */
export function configJsonSchema(): JsonObject {
  const [closed, open] = [schemaOf(false), schemaOf(true)];
  const named = ({ recipe, recipes, metrics, keepBest }: JsonObject): JsonObject => ({
    properties: { recipe, recipes, metrics, keepBest },
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'hypetune config',
    type: 'object',
    additionalProperties: false,
    properties: { ...closed, recipe: {}, recipes: {}, metrics: {}, keepBest: {} },
    if: { required: ['methods'] },
    then: named(open),
    else: named(closed),
    $defs: {
      optionsByMethod: {
        allOf: [...METHODS.keys()].map((name) => ({
          if: { properties: { name: { const: name } } },
          then: { properties: { options: { $ref: `#/$defs/${name}` } } },
        })),
      },
      ...Object.fromEntries(
        [...METHODS.values()].map((method) => [
          method.name,
          { description: headline(method), ...method.schema },
        ]),
      ),
    },
  };
}

/** The schema as the file that is shipped. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
}

/** The settings' schemas. `open`: with methods and metrics that are not known here. */
function schemaOf(open: boolean): JsonObject {
  const names = [...METHODS.keys()];
  const part = `(nodrop|${open ? '[a-z0-9-]+' : names.join('|')})`;
  const oneOf = (known: readonly string[]): JsonObject =>
    open ? { anyOf: [{ enum: known }, { type: 'string' }] } : { enum: known };
  const method = oneOf(names);
  const entry = {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: { name: method, options: { type: 'object' } },
    $ref: '#/$defs/optionsByMethod',
  };
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === recipeName) jsonSchema.pattern = `^(vanilla|${part}(\\s*\\+\\s*${part})*)$`;
      if (zodSchema === (pluginEntry as z.core.$ZodType)) jsonSchema.anyOf = [method, entry] as never;
      if (zodSchema === (metricEntry as z.core.$ZodType)) {
        delete jsonSchema.anyOf;
        delete jsonSchema.wanted;
        Object.assign(jsonSchema, oneOf(METRIC_NAMES));
      }
    },
  });
  return schema.properties as JsonObject;
}
