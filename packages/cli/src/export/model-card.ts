import { relative } from 'node:path';
import { headOf, type ModelConfig } from '@hypetune/models';
import { PRECISION_FILES, type Precision } from '@hypetune/onnx';
import { stringify } from 'yaml';
import { DEFAULT_MODEL } from '../setup.js';
import type { RunRecord } from '../run-folder.js';
import { version } from '../version.js';

/** What a card is made of. */
export interface CardFacts {
  readonly name: string;
  readonly config: ModelConfig;
  readonly labels: readonly string[];
  readonly maxLength: number;
  readonly record: RunRecord | undefined;
  readonly precisions: readonly Precision[];
}

/** The README.md of an exported folder or a run's, with the front matter that model hubs read. */
export function modelCard(facts: CardFacts): string {
  const { name, record } = facts;
  return [
    `---\n${stringify(frontMatter(facts))}---`,
    `# ${name}`,
    aboutModel(facts),
    ...(record ? [metricsTable(record), training(record)] : []),
    usage(facts),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

const isTokens = ({ config }: CardFacts): boolean => headOf(config) === 'TokenClassification';
/** A value is no probability, so pipelines that make one of it are of no use. */
const isValue = ({ config }: CardFacts): boolean => config.problem_type === 'regression';

function frontMatter(facts: CardFacts): Record<string, unknown> {
  const { record } = facts;
  const hub = /^hf:([^@]+)/.exec(baseModel(record) ?? '')?.[1];
  return {
    library_name: 'transformers',
    pipeline_tag: isTokens(facts) ? 'token-classification' : 'text-classification',
    ...(hub !== undefined && { base_model: hub }),
    tags: ['hypetune', ...(facts.precisions.length > 0 ? ['onnx', 'transformers.js'] : [])],
    ...(record?.metrics && { metrics: Object.keys(record.metrics) }),
  };
}

const baseModel = (record: RunRecord | undefined): string | undefined =>
  record && (record.config.model ?? DEFAULT_MODEL);

function aboutModel({ config, labels, maxLength, record, precisions }: CardFacts): string {
  const base = baseModel(record);
  const from = base === undefined ? '' : `, fine-tuned from \`${shownPath(base)}\``;
  const files = precisions.map((precision) => `\`onnx/${PRECISION_FILES[precision]}\` (${precision})`);
  const kind = (config.problem_type as string | undefined) ?? 'token classification';
  return [
    `A \`${config.model_type}\` for ${kind.replaceAll('_', ' ')}${from}. It reads up to ${maxLength} tokens of a text.`,
    `Outputs: ${labels.map((label) => `\`${label}\``).join(', ')}.`,
    `Weights: ${['`model.safetensors` (fp32)', ...files].join(', ')}. Written by hypetune ${version}.`,
  ].join('\n');
}

function metricsTable({ metrics, intervals, data }: RunRecord): string {
  if (!metrics) return '';
  const rows = Object.entries(metrics).map(([name, value]) => {
    const [low, high] = intervals?.[name] ?? [];
    const interval = low === undefined ? '' : `${low.toFixed(4)} to ${high!.toFixed(4)}`;
    return `| ${name} | ${value.toFixed(4)} | ${interval} |`;
  });
  const on = data ? `On ${data.evaluation.rows} rows the model was not trained on` : 'On rows set aside';
  return [
    '## Metrics',
    `${on}; the interval is the 95 % bootstrap interval over rows (it says nothing of other seeds).`,
    ['| metric | value | interval |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n');
}

function training(record: RunRecord): string {
  const { recipe, seed, steps, engine, data } = record;
  return [
    '## Training',
    [
      `- recipe: ${recipe}`,
      `- seed ${seed}, ${steps} steps, engine ${engine}`,
      ...(data
        ? [
            `- ${data.train.rows} rows to learn from, sha256 \`${data.train.sha256}\``,
            `- ${data.evaluation.rows} rows to measure on, sha256 \`${data.evaluation.sha256}\``,
          ]
        : []),
    ].join('\n'),
    command(record),
  ].join('\n\n');
}

/** What to run again: the run's whole configuration, methods with all their options. */
function command({ config, seed }: RunRecord): string {
  const short = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === 'string' ? shownPath(value) : (value as unknown),
  ]);
  const file = JSON.stringify({ ...(Object.fromEntries(short) as object), seed }, null, 2);
  return `\`npx hypetune train --config config.json\` with\n\n\`\`\`json\n${file}\n\`\`\``;
}

/** A path from here on, where it leads into this folder. */
function shownPath(text: string): string {
  if (!text.startsWith('/')) return text;
  const short = relative(process.cwd(), text);
  return short.startsWith('..') ? text : short;
}

function usage(facts: CardFacts): string {
  const { name } = facts;
  if (facts.precisions.length === 0)
    return `## Use

\`\`\`js
import { openRun } from 'hypetune';

const run = await openRun('${name}');
console.log(await run.predict(['a text']));
\`\`\`

The folder is one of \`transformers\` too. \`npx hypetune export ${name} --out FOLDER\` makes one for transformers.js and ONNX Runtime.`;
  if (isValue(facts))
    return `## Use

The output is a value. Pipelines of transformers.js make a probability of it, so take the model itself:

\`\`\`js
import { AutoModelForSequenceClassification, AutoTokenizer } from '@huggingface/transformers';

const tokenizer = await AutoTokenizer.from_pretrained('${name}');
const model = await AutoModelForSequenceClassification.from_pretrained('${name}', { dtype: 'q8' });
const { logits } = await model(tokenizer('a text', { truncation: true }));
console.log(logits.data);
\`\`\``;
  const task = isTokens(facts) ? 'token-classification' : 'text-classification';
  return `## Use

\`\`\`js
import { pipeline } from '@huggingface/transformers';

const classify = await pipeline('${task}', '${name}', { dtype: 'q8' });
console.log(await classify('a text'));
\`\`\`

\`\`\`python
from transformers import pipeline

print(pipeline("${task}", "${name}")("a text"))
\`\`\``;
}
