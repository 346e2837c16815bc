import '@tensorflow/tfjs-backend-cpu';
import { type FitReport, tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { randomUniform, seedKey } from '@hypetune/ops';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { gradientNoise } from './gradient-noise.js';

// Which of two numbers is larger? The plugin stacks with a published one.
const pairs = randomUniform([64, 2], seedKey(1), -1, 1);
const larger = (pairs.arraySync() as number[][]).map(([a, b]) => (a! > b! ? 0 : 1));
const kernelInitializer = initializers.glorotUniform({ seed: 1 });
const model = sequential({
  layers: [
    layers.dense({ units: 16, activation: 'tanh', inputShape: [2], kernelInitializer }),
    layers.dense({ units: 2, kernelInitializer }),
  ],
});
const trainer = new Trainer({
  model,
  plugins: [gradientNoise(), hype({ scale: 0.01 })],
  optimizer: { learningRate: 0.02 },
  epochs: 15,
});
const data = tensorData(pairs, larger);
export const report: FitReport = await trainer.fit(data);
export const { metrics } = await trainer.evaluate(data);
console.log(`${report.steps} steps with ${trainer.plugins.map(({ name }) => name).join(' + ')}:`, metrics);
