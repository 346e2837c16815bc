#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0: the gradient of mirrorPad is a slice of what comes from above, so that the copies which mirroring makes count
# nothing. Padding [1, 2, 3] by reflection gives [2, 1, 2, 3, 2]; weighed with 1, 10, 100, 1000, 10000 the middle number's gradient is
# 1 + 100 + 10000, and tfjs says 100. No error is raised. The shares that lead to it are shown by differences beside.
# Seen on Node 20.20. Prints gradient and differences; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0 > /dev/null
cat > see.js <<'JS'
const tf = require('@tensorflow/tfjs');
(async () => {
  await tf.setBackend('cpu');
  const weights = tf.tensor1d([1, 10, 100, 1000, 10000]);
  const seen = {};
  for (const mode of ['reflect', 'symmetric']) {
    const weighed = (x) => tf.sum(tf.mul(tf.mirrorPad(x, [[1, 1]], mode), weights));
    const value = (numbers) => weighed(tf.tensor1d(numbers)).dataSync()[0];
    seen[mode] = {
      gradient: tf.grad(weighed)(tf.tensor1d([1, 2, 3])).dataSync().join(' '),
      differences: [0, 1, 2].map((place) => value([1, 2, 3].map((x, at) => x + (at === place ? 1 : 0))) - value([1, 2, 3])).join(' '),
    };
  }
  console.log(JSON.stringify(seen, null, 1));
  const expected = {
    reflect: { gradient: '10 100 1000', differences: '10 10101 1000' },
    symmetric: { gradient: '10 100 1000', differences: '11 100 11000' },
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
