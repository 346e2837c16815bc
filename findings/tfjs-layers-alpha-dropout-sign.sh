#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0: alphaDropout puts what it drops at the wrong end. SELU's saturation is -1.758, which it adds with its
# sign turned; the affine step after it is meant for the right sign, so that numbers of mean 0 have a mean of 0.8 at rate 0.25. The layer
# exists to keep the mean (Klambauer et al. 2017), and Keras does.
# Seen on Node 20.20. Prints what is dropped to, by hand and by the layer, and mean and variance; exits with 1 where that is no longer so.
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
const { layers } = require('@tensorflow/tfjs-layers');
(async () => {
  await tf.setBackend('cpu');
  const rate = 0.25;
  const saturation = -1.6732632423543772 * 1.0507009873554805;
  const scale = ((1 - rate) * (1 + rate * saturation ** 2)) ** -0.5;
  const shift = -scale * rate * saturation;
  const layer = layers.alphaDropout({ rate });
  // Of zeros, what is kept becomes the shift, and what is dropped the other value.
  const values = [...new Set(layer.apply(tf.zeros([1, 1000]), { training: true }).dataSync())];
  const [dropped] = values.filter((value) => Math.abs(value - shift) > 1e-3);
  const { mean, variance } = tf.moments(layer.apply(tf.randomNormal([1, 200000], 0, 1, 'float32', 1), { training: true }));
  const seen = {
    'dropped to': dropped.toFixed(3),
    'right': (scale * saturation + shift).toFixed(3),
    'with the sign turned': (-scale * saturation + shift).toFixed(3),
    mean: mean.dataSync()[0].toFixed(1),
    variance: variance.dataSync()[0].toFixed(1),
  };
  console.log(JSON.stringify(seen, null, 1));
  process.exitCode = Object.values(seen).join() === '1.906,-1.144,1.906,0.8,1.0' ? 0 : 1;
})();
JS
node see.js 2> /dev/null
