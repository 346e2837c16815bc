#!/usr/bin/env bash
# tfjs 4.22.0, backends cpu and wasm: with halfPixelCenters the gradient of image.resizeBilinear is that of the resizing without it. For a
# sum of the result each pixel's gradient must be what a picture of that pixel alone adds up to; here it is not, and it is the same as for
# pixels counted from their starts, where it is right.
# Seen on Node 20.20. Prints what it sees (gradient, then sums); exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund \
  @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 > /dev/null
cat > see.js <<'JS'
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
setWasmPaths(`${__dirname}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
const text = (values) => Array.from(values, (value) => value.toFixed(2)).join(' ');
const shape = [1, 2, 2, 1];
(async () => {
  const seen = {};
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    for (const halfPixelCenters of [false, true]) {
      const given = { images: tf.zeros(shape), dy: tf.ones([1, 4, 3, 1]) };
      const gradient = tf.engine().runKernel('ResizeBilinearGrad', given, { alignCorners: false, halfPixelCenters });
      const sums = [0, 1, 2, 3].map((place) => {
        const pixel = tf.tensor([0, 1, 2, 3].map((other) => Number(other === place)), shape);
        return tf.sum(tf.image.resizeBilinear(pixel, [4, 3], false, halfPixelCenters)).dataSync()[0];
      });
      seen[`${backend}, ${halfPixelCenters ? 'centers' : 'starts'}`] = [text(gradient.dataSync()), text(sums)];
    }
  }
  console.log(JSON.stringify(seen, null, 1));
  const [starts, centers] = ['2.00 2.50 3.33 4.17', '3.00 3.00 3.00 3.00'];
  const expected = {
    'cpu, starts': [starts, starts],
    'cpu, centers': [starts, centers],
    'wasm, starts': [starts, starts],
    'wasm, centers': [starts, centers],
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
