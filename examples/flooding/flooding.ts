import '@tensorflow/tfjs-backend-cpu';
import { type Plugin, type PluginHost, tensorData, Trainer } from '@hypetune/core';
import { randomNormal, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';

/** Flooding (Ishida et al., 2020): `abs(L - level) + level`: below the level the loss is pushed up again. */
export class Flooding implements Plugin {
  readonly name = 'flooding';

  constructor(readonly level: number) {}

  apply({ hooks }: PluginHost): void {
    hooks.beforeBackward.tap(this.name, (loss) => tf.add(tf.abs(tf.sub(loss, this.level)), this.level));
  }
}

// Labels without any rule in them: what a model can only learn by heart.
const inputs = randomNormal([32, 8], seedKey(1));
const labels = Array.from({ length: 32 }, (_, row) => (row * 7) % 2);

async function trainingLoss(plugins: Plugin[]): Promise<number> {
  const kernelInitializer = initializers.glorotUniform({ seed: 1 });
  const model = sequential({
    layers: [
      layers.dense({ units: 64, activation: 'relu', inputShape: [8], kernelInitializer }),
      layers.dense({ units: 2, kernelInitializer }),
    ],
  });
  const trainer = new Trainer({ model, plugins, optimizer: { learningRate: 0.01 }, epochs: 60 });
  const data = tensorData(inputs, labels);
  await trainer.fit(data);
  const { loss } = await trainer.evaluate(data);
  model.dispose();
  return loss;
}

export const plain: number = await trainingLoss([]);
export const flooded: number = await trainingLoss([new Flooding(0.3)]);
console.log(
  `training loss: ${plain.toFixed(3)} by plain training, ${flooded.toFixed(3)} with flooding at 0.3`,
);
