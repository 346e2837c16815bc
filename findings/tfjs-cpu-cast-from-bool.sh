#!/usr/bin/env bash
# @tensorflow/tfjs-backend-cpu 4.22.0: a tensor cast from bool to float32 says that it is float32, and its data() is a
# Uint8Array; on the wasm backend it is a Float32Array. What writes a tensor's bytes by its dtype, as a saver of weights or masks
# does, writes a quarter of them. The values are right. After any arithmetic (here: times 1) it is a Float32Array.
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
const kind = async (tensor) => `${tensor.dtype} in a ${(await tensor.data()).constructor.name}`;
(async () => {
  const seen = {};
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const cast = tf.cast(tf.tensor1d([true, false, true], 'bool'), 'float32');
    seen[backend] = [await kind(cast), await kind(tf.mul(cast, 1)), Array.from(await cast.data()).join()];
  }
  console.log(JSON.stringify(seen, null, 1));
  const expected = {
    cpu: ['float32 in a Uint8Array', 'float32 in a Float32Array', '1,0,1'],
    wasm: ['float32 in a Float32Array', 'float32 in a Float32Array', '1,0,1'],
  };
  process.exitCode = JSON.stringify(seen) === JSON.stringify(expected) ? 0 : 1;
})();
JS
node see.js 2> /dev/null
