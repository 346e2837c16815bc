import { headOf, type ModelConfig } from '@hypetune/models';
import { PRECISION_FILES, type Precision } from '@hypetune/onnx';
import { DEFAULT_MODEL } from '../setup.js';
import type { RunRecord } from '../run-folder.js';
import { nearby, withPlaces } from '../places.js';
import { shellWord } from '../shell-word.js';
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
export async function modelCard(facts: CardFacts): Promise<string> {
  const { name, record } = facts;
  const { stringify } = await import('yaml');
  const text = [
    `---\n${stringify(frontMatter(facts))}---`,
    `# ${name}`,
    aboutModel(facts),
    ...(record ? [metricsSection(record), training(record)] : []),
    usage(facts),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
  return withPlaces(text, record, nearby);
}

/** A text as JavaScript has it. */
const jsText = (text: string): string => (/['\\\n]/.test(text) ? JSON.stringify(text) : `'${text}'`);

/** A text as code in a line of Markdown. */
function codeSpan(text: string): string {
  const runs = (text.match(/`+/g) ?? []).map(({ length }) => length);
  const [fence, space] = ['`'.repeat(1 + Math.max(0, ...runs)), /^`|`$/.test(text) ? ' ' : ''];
  return fence + space + text + space + fence;
}

const taskOf = (facts: CardFacts): string =>
  isTokens(facts) ? 'token-classification' : 'text-classification';
const isTokens = ({ config }: CardFacts): boolean => headOf(config) === 'TokenClassification';
/** A value is no probability, so pipelines that make one of it are of no use. */
const isValue = ({ config }: CardFacts): boolean => config.problem_type === 'regression';
const isMulti = ({ config }: CardFacts): boolean => config.problem_type === 'multi_label_classification';
/** In version 4: those it has classes for. */
const isInTransformersJs = (facts: CardFacts): boolean =>
  facts.config.model_type !== 'xlnet' && !(facts.config.model_type === 'albert' && isTokens(facts));
const isPair = ({ record }: CardFacts): boolean => record?.task.pair === true;

function frontMatter(facts: CardFacts): Record<string, unknown> {
  const { record } = facts;
  const hub = /^hf:([^@]+)/.exec(baseModel(record) ?? '')?.[1];
  return {
    library_name: 'transformers',
    pipeline_tag: taskOf(facts),
    ...(hub !== undefined && { base_model: hub }),
    tags: [
      'hypetune',
      ...(facts.precisions.length > 0 ? ['onnx'] : []),
      ...(facts.precisions.length > 0 && isInTransformersJs(facts) ? ['transformers.js'] : []),
    ],
    ...(record?.metrics && { metrics: Object.keys(record.metrics) }),
  };
}

const baseModel = (record: RunRecord | undefined): string | undefined =>
  record && (record.config.model ?? DEFAULT_MODEL);

function aboutModel({ config, labels, maxLength, record, precisions }: CardFacts): string {
  const base = baseModel(record);
  const from = base === undefined ? '' : `, fine-tuned from ${codeSpan(base)}`;
  const files = precisions.map((precision) => `\`onnx/${PRECISION_FILES[precision]}\` (${precision})`);
  const kind = (config.problem_type as string | undefined) ?? 'token classification';
  return [
    `A \`${config.model_type}\` for ${kind.replaceAll('_', ' ')}${from}. It reads up to ${maxLength} tokens of a text.`,
    `Outputs: ${labels.map(codeSpan).join(', ')}.`,
    `Weights: ${['`model.safetensors` (fp32)', ...files].join(', ')}. Written by hypetune ${version}.`,
  ].join('\n');
}

function metricsSection({ metrics, intervals = {}, testMetrics, data, best }: RunRecord): string {
  if (!metrics) return '';
  const learned = data?.evaluation.sha256 === data?.train.sha256;
  const rows = data && `${data.evaluation.rows} rows the model was ${learned ? '' : 'not '}trained on`;
  const chosen = best ? ', by which its epoch was chosen' : '';
  return [
    '## Metrics',
    `On ${rows ?? 'rows set aside'}${chosen}; the interval is the 95 % bootstrap interval over rows (it says nothing of other seeds).`,
    metricsTable(metrics, intervals),
    ...(testMetrics ? ['On test rows, which chose nothing:', metricsTable(testMetrics)] : []),
  ].join('\n\n');
}

function metricsTable(
  metrics: Readonly<Record<string, number>>,
  intervals?: Exclude<RunRecord['intervals'], undefined>,
): string {
  const lines = Object.entries(metrics).map(([name, value]) => {
    const [low, high] = intervals?.[name] ?? [];
    const interval = low === undefined ? '' : `${low.toFixed(4)} to ${high!.toFixed(4)}`;
    return `| ${name} | ${value.toFixed(4)} |${intervals ? ` ${interval} |` : ''}`;
  });
  const head = intervals
    ? ['| metric | value | interval |', '| --- | --- | --- |']
    : ['| metric | value |', '| --- | --- |'];
  return [...head, ...lines].join('\n');
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
  const file = JSON.stringify({ ...config, seed }, null, 2);
  // Where rows came from a program there is no table to train on again.
  const again =
    config.task === undefined && config.train === undefined
      ? 'A `TextClassifier`'
      : '`npx hypetune train --config config.json`';
  return `${again} with\n\n\`\`\`json\n${file}\n\`\`\``;
}

function usage(facts: CardFacts): string {
  const { name } = facts;
  const row = isPair(facts) ? `{ text: 'a text', pair: 'another' }` : `'a text'`;
  if (facts.precisions.length === 0)
    return `## Use

\`\`\`js
import { openRun } from 'hypetune';

const run = await openRun(${jsText(name)});
console.log(await run.predict([${row}]));
\`\`\`

The folder is one of \`transformers\` too. ${codeSpan(`npx hypetune export ${shellWord(name)} --out FOLDER`)} makes one for transformers.js and ONNX Runtime.`;
  const dtype = facts.precisions.includes('q8') ? 'q8' : facts.precisions[0]!;
  const javascript = !isInTransformersJs(facts)
    ? `transformers.js has no such model; the graphs run in ONNX Runtime itself, from JavaScript too.`
    : isValue(facts) || isPair(facts)
      ? byModel(facts, dtype)
      : byPipeline(facts, dtype);
  const python = isPair(facts) ? '{"text": "a text", "text_pair": "another"}' : '"a text"';
  // Of texts the pipeline of Python shows the largest output alone, and cuts nothing, unless told.
  const all = isMulti(facts) || (isValue(facts) && facts.labels.length > 1) ? ', top_k=None' : '';
  const cut = isTokens(facts) ? '' : ', truncation=True';
  return `## Use

${javascript}

\`\`\`python
from transformers import pipeline

print(pipeline("${taskOf(facts)}", ${JSON.stringify(name)}${all}${cut})(${python}))
\`\`\``;
}

function byPipeline(facts: CardFacts, dtype: Precision): string {
  const all = isMulti(facts) ? ', { top_k: null }' : '';
  return `\`\`\`js
import { pipeline } from '@huggingface/transformers';

const classify = await pipeline('${taskOf(facts)}', ${jsText(facts.name)}, { dtype: '${dtype}' });
console.log(await classify('a text'${all}));
\`\`\``;
}

function byModel(facts: CardFacts, dtype: Precision): string {
  const why = isValue(facts)
    ? 'The output is a value. Pipelines of transformers.js make a probability of it'
    : 'A row is a pair of texts. Pipelines of transformers.js take one alone';
  const pair = isPair(facts) ? `text_pair: 'another', ` : '';
  return `${why}, so take the model itself:

\`\`\`js
import { AutoModelForSequenceClassification, AutoTokenizer } from '@huggingface/transformers';

const tokenizer = await AutoTokenizer.from_pretrained(${jsText(facts.name)});
const model = await AutoModelForSequenceClassification.from_pretrained(${jsText(facts.name)}, { dtype: '${dtype}' });
const { logits } = await model(tokenizer('a text', { ${pair}truncation: true }));
console.log(logits.tolist()[0]${isValue(facts) ? '' : ', model.config.id2label'});
\`\`\``;
}
