#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0: the mask of an embedding with maskZero acts in recurrent layers alone. globalAveragePooling1d takes
# padding into the mean, and losses and metrics of an output for each step count it; Keras leaves masked steps out of both. No error or
# warning is raised, and the same rows padded to another length give another model output.
# Seen on Node 20.20. Prints, for a row of two tokens and the same row padded, what each gives; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund \
  @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-layers@4.22.0 > /dev/null
cat > see.js <<'JS'
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { layers, sequential } = require('@tensorflow/tfjs-layers');
const rows = { short: [[1, 2]], padded: [[1, 2, 0, 0]] };
/** A table of 9 for padding, 1 and 3. */
const embedding = () =>
  layers.embedding({ inputDim: 3, outputDim: 1, inputShape: [null], maskZero: true, weights: [tf.tensor2d([[9], [1], [3]])] });
const after = (layer, tokens) =>
  sequential({ layers: [embedding(), layer] }).predict(tf.tensor2d(tokens)).dataSync()[0].toFixed(3);
(async () => {
  await tf.setBackend('cpu');
  const seen = {};
  for (const [length, tokens] of Object.entries(rows)) {
    const each = sequential({ layers: [embedding(), layers.activation({ activation: 'linear' })] });
    each.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const loss = await each.evaluate(tf.tensor2d(tokens), tf.ones([1, tokens[0].length, 1]));
    seen[length] = {
      simpleRNN: after(layers.simpleRNN({ units: 1, kernelInitializer: 'ones', recurrentInitializer: 'ones' }), tokens),
      globalAveragePooling1d: after(layers.globalAveragePooling1d({}), tokens),
      'meanSquaredError from 1': loss.dataSync()[0].toFixed(3),
    };
  }
  console.log(JSON.stringify(seen, null, 1));
  const expected = {
    short: { simpleRNN: '0.999', globalAveragePooling1d: '2.000', 'meanSquaredError from 1': '2.000' },
    padded: { simpleRNN: '0.999', globalAveragePooling1d: '5.500', 'meanSquaredError from 1': '33.000' },
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
