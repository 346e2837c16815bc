import '@tensorflow/tfjs-backend-cpu';
import { checkNumber, type FitReport, type Plugin, type PluginHost, tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { foldIn, randomNormal, randomUniform, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';

/** Gradient noise (Neelakantan et al., 2015): `g + N(0, scale / (1 + t)^0.55)` at step t; scale is a variance. */
export class GradientNoise implements Plugin {
  readonly name = 'gradient-noise';
  readonly scale: number;

  constructor({ scale = 0.01 }: { scale?: number } = {}) {
    this.scale = checkNumber(this.name, 'scale', scale, { min: 0 });
  }

  apply({ hooks }: PluginHost): void {
    if (this.scale === 0) return;
    hooks.afterBackward.tap(this.name, (gradients, step) => {
      const deviation = Math.sqrt(this.scale / (1 + step.index) ** 0.55);
      const noised = Object.entries(gradients).map(([parameter, gradient]) => {
        const noise = randomNormal(gradient.shape, foldIn(step.key, this.name, parameter), deviation);
        return [parameter, tf.add(gradient, noise)] as const;
      });
      return Object.fromEntries(noised);
    });
  }
}

// Which of two numbers is larger? The plugin stacks with a published one.
const pairs = randomUniform([64, 2], seedKey(1), -1, 1);
const larger = (pairs.arraySync() as number[][]).map(([a, b]) => (a! > b! ? 0 : 1));
const model = sequential({
  layers: [layers.dense({ units: 16, activation: 'tanh', inputShape: [2] }), layers.dense({ units: 2 })],
});
const trainer = new Trainer({
  model,
  plugins: [new GradientNoise(), hype({ scale: 0.01 })],
  optimizer: { learningRate: 0.02 },
  epochs: 15,
});
const data = tensorData(pairs, larger);
export const report: FitReport = await trainer.fit(data);
export const { metrics } = await trainer.evaluate(data);
console.log(`${report.steps} steps with ${trainer.plugins.map(({ name }) => name).join(' + ')}:`, metrics);
