import '@tensorflow/tfjs-backend-cpu';
import { type Evaluation, tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { randomNormal, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';

// Points inside and outside of a ring: 120 to learn from, 200 to measure on.
function ring(points: number, seed: number): { inputs: tf.Tensor; labels: number[] } {
  const inputs = randomNormal([points, 2], seedKey(seed));
  const labels = (inputs.arraySync() as number[][]).map(([x, y]) => (Math.hypot(x!, y!) < 1.2 ? 0 : 1));
  return { inputs, labels };
}
const train = ring(120, 1);
const test = ring(200, 2);

// An ordinary model: nothing in it knows of the trainer.
const kernelInitializer = initializers.glorotUniform({ seed: 1 });
const model = sequential();
model.add(layers.dense({ units: 32, activation: 'relu', inputShape: [2], kernelInitializer }));
model.add(layers.dropout({ rate: 0.1 }));
model.add(layers.dense({ units: 32, activation: 'relu', kernelInitializer }));
model.add(layers.dense({ units: 2, kernelInitializer }));

const trainer = new Trainer({
  model,
  plugins: [hype({ scale: 0.05, hiddenDropout: 0 })],
  optimizer: { learningRate: 0.01 },
  epochs: 25,
});
console.log(trainer.explain());
await trainer.fit(tensorData(train.inputs, train.labels));
export const evaluation: Evaluation = await trainer.evaluate(tensorData(test.inputs, test.labels));
console.log('on points it has not seen:', evaluation.metrics);

// After fit the model is an ordinary one again.
const [inside, outside] = tf.tidy(() => {
  const logits = model.predict(tf.tensor2d([0, 0, 3, 0], [2, 2])) as tf.Tensor;
  return Array.from(tf.argMax(logits, -1).dataSync());
});
console.log(`the middle is class ${inside!}, a point far out is class ${outside!}`);
export const classes: readonly (number | undefined)[] = [inside, outside];
