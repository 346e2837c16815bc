#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0: gradients at kinks. Where n numbers share the maximum or minimum, tf.max and tf.min give each of them the whole
# gradient, so that the gradient is n times as long as any subgradient (TensorFlow and PyTorch's amax divide it by n): a maximum over
# equal rows, such as padding, multiplies it by their count. And tf.abs has a gradient of -1 at 0 (elsewhere it is 0 there), so
# that an L1 penalty moves weights that begin at zero, such as biases, and that nothing else moves.
# Seen on Node 20.20. Prints gradients and a bias after one step of fit; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0 > /dev/null
cat > see.js <<'JS'
const tf = require('@tensorflow/tfjs');
const gradient = (f, numbers) => tf.grad(f)(tf.tensor1d(numbers)).dataSync().join(' ');
(async () => {
  await tf.setBackend('cpu');
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 1, inputShape: [1], biasRegularizer: tf.regularizers.l1({ l1: 0.01 }) })],
  });
  model.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' });
  // What the model says already, so that the penalty alone has a gradient.
  const x = tf.ones([4, 1]);
  await model.fit(x, model.predict(x), { epochs: 1, verbose: 0 });
  const seen = {
    max: gradient((x) => tf.max(x), [1, 1, 1, 0]),
    min: gradient((x) => tf.min(x), [1, 0, 0, 0]),
    abs: gradient((x) => tf.sum(tf.abs(x)), [-2, 0, 2]),
    bias: model.getWeights()[1].dataSync()[0].toFixed(4),
  };
  console.log(JSON.stringify(seen, null, 1));
  const expected = { max: '1 1 1 0', min: '0 1 1 1', abs: '-1 -1 1', bias: '0.0100' };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
