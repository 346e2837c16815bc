#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0: what a regularizer adds to the loss depends on where its layer stands. Of recurrent layers (kernels of
# LSTM and the others, also within bidirectional) fit adds nothing; of a layer that a model uses twice it adds the penalty twice. Keras
# adds each weight's once. calculateLosses() gives the same numbers.
# Seen on Node 20.20. Prints loss of fit, where the data's is zero and every kernel's penalty is 2; exits with 1 where that is no
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
const { input, layers, model, regularizers, sequential } = require('@tensorflow/tfjs-layers');
const kernel = { units: 1, useBias: false, kernelInitializer: 'ones', kernelRegularizer: regularizers.l2({ l2: 1 }) };
const dense = () => layers.dense({ ...kernel, inputShape: [2] });
const twice = () => {
  const inputs = [input({ shape: [2] }), input({ shape: [2] })];
  const shared = dense();
  return model({ inputs, outputs: layers.add().apply(inputs.map((each) => shared.apply(each))) });
};
const rnn = () => layers.simpleRNN({ ...kernel, recurrentInitializer: 'ones', inputShape: [3, 2] });
const models = {
  'a dense layer': () => sequential({ layers: [dense()] }),
  'one that a model uses twice': twice,
  'one in a sequential in a model': () => {
    const entry = input({ shape: [2] });
    return model({ inputs: entry, outputs: sequential({ layers: [dense()] }).apply(entry) });
  },
  'a simpleRNN': () => sequential({ layers: [rnn()] }),
  'a bidirectional simpleRNN': () =>
    sequential({ layers: [layers.bidirectional({ layer: rnn(), mergeMode: 'sum', inputShape: [3, 2] })] }),
};
(async () => {
  await tf.setBackend('cpu');
  const seen = {};
  for (const [name, build] of Object.entries(models)) {
    const built = build();
    built.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' });
    const zeros = built.inputs.map(({ shape }) => tf.zeros([1, ...shape.slice(1)]));
    const { history } = await built.fit(zeros, tf.zeros([1, 1]), { epochs: 1, verbose: 0 });
    seen[name] = history.loss[0];
  }
  console.log(JSON.stringify(seen, null, 1));
  process.exitCode = Object.values(seen).join() === '2,4,2,0,0' ? 0 : 1;
})();
JS
node see.js 2> /dev/null
