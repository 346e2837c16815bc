import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { chooseEngine } from '@hypetune/engine';
import { smart } from '@hypetune/smart';
import { buildData, buildModel } from './support/models.js';
import { registry } from './support/registry.js';
import { makeTrainer } from './support/training.js';
const make = (e: any): any => (e.create().name === 'smart' ? smart({ start: 0.1, radius: 1 }) : (e.steady ?? e.create)());
const run = async (engine: any, e: any, steps: number): Promise<{ losses: number[]; counts: string[]; report: any }> => {
  await chooseEngine({ force: engine });
  const model = buildModel('bert'); const { data, dispose } = buildData('bert');
  const losses: number[] = []; const counts: string[] = [];
  const trainer = makeTrainer(model, [make(e)], { steps, compile: true, optimizer: { learningRate: 1e-3 } });
  trainer.hooks.onStep.tap('t', ({ loss, step }: any) => { losses.push(loss); if (step === 20 || step === steps) counts.push([(tf.backend() as any).binding.runtime.handles, tf.memory().numTensors].join()); });
  await trainer.fit(data); const report = trainer.compileReport(); dispose(); model.dispose();
  return { losses, counts, report };
};
const [from, to] = process.argv.slice(2).map(Number);
for (const e of registry.slice(from, to)) {
  try {
    const a = await run('native', e, 20); const b = await run('pjrt', e, 200);
    const worst = Math.max(...a.losses.map((l, i) => Math.abs(b.losses[i]! - l) / Math.max(1e-3, Math.abs(l))));
    console.log(e.name, worst.toExponential(1), b.counts.join(' | '), b.counts[0] === b.counts[1] ? 'kept' : 'GREW', b.report.compiled, JSON.stringify(b.report.eagerOperations));
  } catch (error) { console.log(e.name, 'FAILED', String((error as Error).stack).slice(0, 600)); }
}
