import * as tf from '@tensorflow/tfjs-core';
import type { Host } from './host.js';
import type { ResolvedOptions } from './options.js';
import type { StepRecorder } from './recorder.js';
import type { ParameterInfo } from './parameters.js';
import { tapsAt, tapsOf, type TapInfo } from './taps.js';
import { HOOK_STAGES, OPTIMIZER_STAGE } from './stages.js';

const BFLOAT16 =
  'precision  bfloat16: operands and results of matrix products, and the gradients that are such products, are rounded to 8 ' +
  'binary digits (to one part in 256; of products that XLA computes, as those of small models may be, the operands alone); weights, moments, residual states, normalization, softmax, losses, noise and draws are ' +
  'float32';

/** Steps between numbers of bfloat16 from 1 to 2. */
const SPACING = 2 ** -7;

/** What rounding to bfloat16 leaves of noise that is weaker than half a step. */
function lostNoise({ noises }: Host): string[] {
  return [...noises].flatMap(([owner, strength]) =>
    strength >= SPACING / 2
      ? []
      : [
          `rounding   ${owner} ${strength} is below the rounding of bfloat16 (1/256 of a state near 1): the next product sees one entry in ` +
            `${Math.round(SPACING / strength)} moved, by a whole 1/128, and the others unmoved; in full the noise goes on in the float32 residual sum and normalization alone`,
        ],
  );
}

/** What a trainer will do, for a person to read. */
export function explain(options: ResolvedOptions, host: Host, recorder: StepRecorder | undefined): string {
  const { optimizer, schedule } = options;
  const lines = [
    `engine     ${tf.getBackend()}, ${recorder ? compiled(recorder) : `steps not compiled (${whyNot(options)})`}`,
    ...(recorder?.precision === 'bfloat16' ? [BFLOAT16, ...lostNoise(host)] : []),
    ...(options.recompute
      ? [`memory     of ${host.layers.length - 1} hidden layers only the inputs are kept`]
      : []),
    `model      ${count(host.parameters)}, ${host.layers.length} hidden layers`,
    ...(host.added.length > 0 ? [`added      ${count(host.added)}, by ${addedBy(host)}`] : []),
    `task       ${options.task.name}; batch ${options.batchSize}${options.accumulate > 1 ? ` x ${options.accumulate}` : ''}, ${
      options.steps ? `${options.steps} steps` : `${options.epochs} epochs`
    }, seed ${options.seed}`,
    `optimizer  ${optimizerName(host, optimizer.epsilonMode)}, learning rate ${optimizer.learningRate}, decay ${optimizer.weightDecay}, ` +
      `warm-up ${schedule.warmup}, then ${schedule.decay}, clip ${options.clipNorm || 'off'}`,
    `dropout    ${[...host.dropoutOwners].map(([owner, rates]) => `${JSON.stringify(rates)} by ${owner}`).join(', ') || "the model's own"}`,
    `main pass  hidden noise ${host.perturbMain ? 'on' : `off, by ${owners(host, false)}`}`,
    `reference  ${host.referenceOwners.size > 0 ? `the weights after afterLoad, for ${[...host.referenceOwners].join(', ')}` : 'none kept'}`,
  ];
  for (const [hook, target] of Object.entries(host.hooks) as [string, object][])
    if (tapsOf(target).length > 0)
      lines.push(
        `${hook}  ${tapsOf(target)
          .map((tap) => describe(hook, tap))
          .join(' -> ')}`,
      );
  return lines.join('\n');
}

function compiled(recorder: StepRecorder): string {
  const { compilations, executions, lastReason } = recorder.report();
  return `steps compiled (${compilations} functions, ${executions} runs)${lastReason ? `; the last one not: ${lastReason}` : ''}`;
}

function whyNot(options: ResolvedOptions): string {
  if (options.trace) return 'a trace reads inside the step';
  return options.compile === false ? 'compile is false' : 'this engine cannot';
}

function owners(host: Host, value: boolean): string {
  return [...host.perturbOwners].flatMap(([owner, perturb]) => (perturb === value ? [owner] : [])).join(', ');
}

function optimizerName(host: Host, epsilonMode: string): string {
  const [other] = tapsAt(host.hooks.aroundUpdate, OPTIMIZER_STAGE.REPLACE);
  return other ?? `AdamW (${epsilonMode})`;
}

function addedBy(host: Host): string {
  return [...new Set(host.added.map(({ name }) => name.split('/', 1)[0]))].join(', ');
}

function count(parameters: readonly ParameterInfo[]): string {
  const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
  const total = parameters.reduce((sum, { shape }) => sum + size(shape), 0);
  return `${total.toLocaleString('en')} weights in ${parameters.length} tensors`;
}

function describe(hook: string, { name, stage = 0 }: TapInfo): string {
  const known = Object.entries(HOOK_STAGES[hook] ?? {}).find(([, value]) => value === stage)?.[0];
  return (known ?? stage) ? `${name} (${known ?? stage})` : name;
}
