#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0: a dropout layer with a seed drops the same numbers at every step, as its seed begins the generator anew
# at each call; in Keras a seed gives a sequence of masks that can be repeated. A model trained so never uses the units that its first
# mask dropped, and two passes of one batch do not differ.
# Seen on Node 20.20. Prints the masks of three calls, and what fit leaves of a kernel that began at zero; exits with 1 where that is no
# longer so.
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
const ones = tf.ones([1, 12]);
const masksOf = (layer) => [0, 1, 2].map(() => layer.apply(ones, { training: true }).dataSync().map((value) => (value ? 1 : 0)).join(''));
const moved = async (seed) => {
  const model = sequential({
    layers: [
      layers.dropout({ rate: 0.5, seed, inputShape: [12] }),
      layers.dense({ units: 1, useBias: false, kernelInitializer: 'zeros' }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  await model.fit(ones, tf.ones([1, 1]), { epochs: 100, verbose: 0 });
  return `${model.getWeights()[0].dataSync().filter((value) => value !== 0).length} of 12`;
};
(async () => {
  await tf.setBackend('cpu');
  const masks = masksOf(layers.dropout({ rate: 0.5, seed: 7 }));
  const unseeded = masksOf(layers.dropout({ rate: 0.5 }));
  console.log(`with seed 7: ${masks.join(' ')}; without: ${unseeded.join(' ')}`);
  const seen = { 'weights that 100 steps moved, with seed 7': await moved(7), 'without': await moved(undefined) };
  console.log(JSON.stringify(seen, null, 1));
  const same = new Set(masks).size === 1 && masks[0] === '000100001011' && new Set(unseeded).size > 1;
  process.exitCode = same && Object.values(seen).join() === '4 of 12,12 of 12' ? 0 : 1;
})();
JS
node see.js 2> /dev/null
