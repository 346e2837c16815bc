#!/usr/bin/env bash
# @tensorflow/tfjs-backend-wasm 4.22.0: of NaN relu6 gives 0, clipByValue its lower limit, and avgPool -Infinity; tfjs-backend-cpu 4.22.0 gives NaN for
# all three, and relu keeps NaN on both. Behind a layer of MobileNet's activation a run that has diverged has numbers again.
# Seen on Node 20.20. Prints what it sees; exits with 1 where that is no longer so.
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
const operations = {
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(x),
  clipByValue: (x) => tf.clipByValue(x, -1, 1),
  avgPool: (x) => tf.avgPool(x, 2, 2, 'valid'),
};
(async () => {
  const seen = {};
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const nan = tf.fill([1, 2, 2, 1], NaN);
    seen[backend] = Object.fromEntries(
      Object.entries(operations).map(([name, run]) => [name, String(run(nan).dataSync()[0])]),
    );
  }
  console.log(JSON.stringify(seen, null, 1));
  const expected = {
    cpu: { relu: 'NaN', relu6: 'NaN', clipByValue: 'NaN', avgPool: 'NaN' },
    wasm: { relu: 'NaN', relu6: '0', clipByValue: '-1', avgPool: '-Infinity' },
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
