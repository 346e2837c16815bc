import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  type Dataset,
  type FitOptions,
  HypetuneError,
  type Plugin,
  type Snapshot,
  Trainer,
  type TrainerOptions,
} from '@hypetune/core';
import { chooseEngine, type EngineName } from '@hypetune/engine';
import { loadModel } from '@hypetune/models';
import { expectedOf, FIXTURES } from '../../../test/parity/families.js';
import { type Entry, registry } from '../../../test/support/registry.js';
import { readCheckpoint, writeCheckpoint } from '../../../packages/cli/src/checkpoint.js';
import { Draws, type Part, told, type Trials } from '../part.js';

/** How often an engine is drawn; `compiled` is native with its steps as one function. */
const ENGINES = ['cpu', 'cpu', 'cpu', 'wasm', 'wasm', 'native', 'compiled'] as const;
type Engine = (typeof ENGINES)[number];
/** The teacher has another vocabulary. */
const METHODS = registry.filter(({ name }) => name !== 'distillation');

export const resume: Part = {
  name: 'resume',
  summary:
    'A run of a random family, a random stack of one to three methods, a random engine and random settings (accumulation, keepBest with patience, batches grouped by length) is stopped by a signal at a random update, written to a checkpoint, read into a new model and gone on with. A fault: any byte of a weight, or any loss, differs from the run that was not stopped.',
  unit: 'resumed runs',
  goal: 260,
  open: async (folder): Promise<Trials> => {
    const backends = new Map<Engine, string>();
    for (const engine of new Set(ENGINES))
      try {
        const force: EngineName = engine === 'compiled' ? 'native' : engine;
        backends.set(engine, (await chooseEngine({ force })).backend);
      } catch {
        // Not on this machine.
      }
    const engines = ENGINES.filter((engine) => backends.has(engine));
    return {
      run: async (trial) => {
        const draws = new Draws(trial);
        const engine = draws.of(engines);
        const [family, home] = draws.of([...FIXTURES]);
        await tf.setBackend(backends.get(engine)!);
        const rows = rowsOf(home);
        const settings = settingsOf(draws, engine);
        const { entries, total } = await stackOf(draws, home, settings, rows);
        const at = 1 + draws.below(total - 1);
        const name = `${family}, ${entries.map((entry) => entry.name).join(' + ')}, ${engine}, ${JSON.stringify(settings)}, update ${at} of ${total}`;
        const plugins = (): Plugin[] => entries.map((entry) => entry.create());
        const tensors = tf.memory().numTensors;
        const faults: string[] = [];
        try {
          const whole = await trained(home, plugins(), settings, rows);
          const first = await trained(home, plugins(), settings, rows, { at });
          const file = join(folder, 'checkpoint.safetensors');
          await writeCheckpoint(file, first.snapshot!);
          const rest = await trained(home, plugins(), settings, rows, { resume: await readCheckpoint(file) });
          if (String([...first.losses, ...rest.losses]) !== String(whole.losses)) faults.push('other losses');
          const differ = [...whole.weights].filter(
            ([weight, bytes]) => !rest.weights.get(weight)!.equals(bytes),
          );
          if (differ.length > 0) faults.push(`other weights: ${differ[0]![0]} and ${differ.length - 1} more`);
          if (tf.memory().numTensors !== tensors)
            faults.push(`${tf.memory().numTensors - tensors} tensors more`);
        } catch (error) {
          faults.push(told(error));
        }
        return { kinds: { [engine]: 1 }, faults: faults.map((fault) => `${name}: ${fault}`) };
      },
    };
  },
};

type Settings = Partial<TrainerOptions>;

function settingsOf(draws: Draws, engine: Engine): Settings {
  return {
    batchSize: 2 + draws.below(2),
    epochs: 2,
    ...(draws.below(3) === 0 && { accumulate: 2 }),
    ...(draws.below(3) === 0 && { groupByLength: true }),
    ...(draws.below(3) === 0 && { keepBest: 'accuracy', patience: 1 }),
    lengthMultiple: 4,
    compile: engine === 'compiled',
    seed: draws.below(1000),
  };
}

/** A stack that may stand in one trainer, and how many updates its run has. */
async function stackOf(
  draws: Draws,
  home: string,
  settings: Settings,
  rows: Dataset,
): Promise<{ entries: Entry[]; total: number }> {
  for (;;) {
    const entries = Array.from({ length: 1 + draws.below(3) }, () => draws.of(METHODS));
    const { model } = await loadModel(home);
    try {
      makeTrainer(
        model,
        entries.map((entry) => entry.create()),
        settings,
      );
      const { batchSize = 1, accumulate = 1 } = settings;
      return { entries, total: 2 * Math.ceil(Math.ceil(rows.size / batchSize) / accumulate) };
    } catch (error) {
      if (!(error instanceof HypetuneError)) throw error;
    } finally {
      model.dispose();
    }
  }
}

function makeTrainer(model: LayersModel, plugins: readonly Plugin[], settings: Settings): Trainer {
  return new Trainer({
    ...{ model, plugins, onWarning: () => undefined, optimizer: { learningRate: 1e-3 } },
    ...(model.outputs[0]!.shape.at(-1) === 1 && { task: 'regression' as const }),
    ...settings,
    // A regression has no accuracy.
    ...(settings.keepBest !== undefined && { keepBest: 'loss' as const }),
  });
}

interface Trained {
  readonly losses: number[];
  readonly weights: Map<string, Buffer>;
  readonly snapshot: Snapshot | undefined;
}

async function trained(
  home: string,
  plugins: readonly Plugin[],
  settings: Settings,
  rows: Dataset,
  { at, resume }: { at?: number; resume?: Snapshot } = {},
): Promise<Trained> {
  const { model } = await loadModel(home);
  try {
    const trainer = makeTrainer(model, plugins, settings);
    const losses: number[] = [];
    const stop = new AbortController();
    let snapshot: Snapshot | undefined;
    trainer.hooks.onStep.tap('torture', ({ loss, step }) => {
      losses.push(loss);
      if (step === at) stop.abort();
    });
    trainer.hooks.onFitEnd.tapPromise('torture', async () => {
      if (stop.signal.aborted) snapshot = await trainer.snapshot();
    });
    const fit: FitOptions = {
      ...{ signal: stop.signal, ...(resume && { resume }) },
      ...(settings.keepBest !== undefined && { validation: rows }),
    };
    await trainer.fit(rows, fit);
    const weights = new Map(
      model.weights.map((weight, place) => {
        const values = tf.tidy(() => weight.read().dataSync());
        return [
          `${place} ${weight.originalName}`,
          Buffer.from(Uint8Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))),
        ];
      }),
    );
    return { losses, weights, snapshot };
  } finally {
    model.dispose();
  }
}

/** The rows of a fixture twice, cut to several lengths. */
function rowsOf(home: string): Dataset {
  const { inputIds, attentionMask, tokenTypeIds, labels } = expectedOf(home);
  const width = inputIds[0]!.length;
  const source = (row: number): number => row % inputIds.length;
  const lengthOf = (row: number): number => width - (row % 3);
  return {
    size: 2 * inputIds.length + 1,
    label: (row) => labels[source(row)]!,
    length: lengthOf,
    inputs: (indices, padded = width) =>
      [inputIds, attentionMask, tokenTypeIds].map((values) =>
        tf.tensor2d(
          indices.map((row) =>
            Array.from({ length: Math.min(padded, width) }, (_, i) =>
              i < lengthOf(row) ? values[source(row)]![i]! : 0,
            ),
          ),
          undefined,
          'int32',
        ),
      ),
  };
}
