#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0: training ignores kernelConstraint, biasConstraint and the like. Keras applies them after each update;
# here fit leaves a kernel of nonNeg negative and one of unitNorm with a norm of 4.6, the same values as without a constraint. They are
# applied by setWeights alone, so that storing a trained model's weights and setting them again changes the model.
# Seen on Node 20.20. Prints the kernel after fit and after its own values were set; exits with 1 where that is no longer so.
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
const kernel = (model) => Array.from(model.getWeights()[0].dataSync(), (value) => value.toFixed(3)).join(' ');
(async () => {
  await tf.setBackend('cpu');
  const seen = {};
  for (const kernelConstraint of [undefined, 'nonNeg', 'unitNorm']) {
    const model = sequential({
      layers: [layers.dense({ units: 1, inputShape: [2], useBias: false, kernelInitializer: 'ones', kernelConstraint })],
    });
    model.compile({ optimizer: tf.train.sgd(0.5), loss: 'meanSquaredError' });
    await model.fit(tf.tensor2d([[1, 1], [1, 0.5]]), tf.tensor2d([[-5], [-4]]), { epochs: 3, verbose: 0 });
    const trained = kernel(model);
    model.setWeights(model.getWeights().map((weight) => weight.clone()));
    seen[kernelConstraint ?? 'none'] = [trained, kernel(model)];
  }
  console.log(JSON.stringify(seen, null, 1));
  const expected = {
    none: ['-3.738 -2.686', '-3.738 -2.686'],
    nonNeg: ['-3.738 -2.686', '0.000 0.000'],
    unitNorm: ['-3.738 -2.686', '-0.812 -0.583'],
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
