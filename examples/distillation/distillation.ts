import '@tensorflow/tfjs-backend-cpu';
import { tensorData, Trainer } from '@hypetune/core';
import { distillation } from '@hypetune/distillation';
import { randomNormal, seedKey } from '@hypetune/ops';
import type * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';

// Points inside and outside of a ring, some of them with a wrong label.
function ring(points: number, seed: number, wrong = Infinity): { inputs: tf.Tensor; labels: number[] } {
  const inputs = randomNormal([points, 2], seedKey(seed));
  const labels = (inputs.arraySync() as number[][]).map(([x, y], row) => {
    const label = Math.hypot(x!, y!) < 1.2 ? 0 : 1;
    return row % wrong === 0 ? 1 - label : label;
  });
  return { inputs, labels };
}
function network(units: number): Sequential {
  const kernelInitializer = initializers.glorotUniform({ seed: 1 });
  return sequential({
    layers: [
      layers.dense({ units, activation: 'tanh', inputShape: [2], kernelInitializer }),
      layers.dense({ units: 2, kernelInitializer }),
    ],
  });
}
const [many, few, other] = [ring(300, 1), ring(60, 2, 3), ring(300, 3)];
const test = tensorData(other.inputs, other.labels);
const settings = { optimizer: { learningRate: 0.03, weightDecay: 0 }, batchSize: 16, seed: 1 };

// A model that saw many rows teaches a smaller one, whose own rows are few and a third of them wrong.
const teacher = network(32);
await new Trainer({ model: teacher, ...settings, epochs: 15 }).fit(tensorData(many.inputs, many.labels));

const rows = tensorData(few.inputs, few.labels);
async function small(...plugins: ReturnType<typeof distillation>[]): Promise<number> {
  const trainer = new Trainer({ model: network(8), plugins, ...settings, epochs: 50 });
  await trainer.fit(rows);
  return (await trainer.evaluate(test)).metrics.accuracy!;
}
export const alone: number = await small();
export const taught: number = await small(distillation({ teacher, weight: 0.9, temperature: 2 }));
teacher.dispose();
console.log('accuracy of the small model alone and taught:', alone, taught);
