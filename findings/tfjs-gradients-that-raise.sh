#!/usr/bin/env bash
# @tensorflow/tfjs 4.22.0: operations that compute and whose gradient then raises, on valid input. matMul and squaredDifference take
# operands of shapes that broadcast, as add and mul do, and their gradient says that shapes do not match; cumsum and prod take axis -1,
# their gradient does not, where the same axis by its number works (mean, max, gather and others take both).
# Seen on Node 20.20. Prints what each does forward and backward; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund @tensorflow/tfjs@4.22.0 > /dev/null
cat > see.js <<'JS'
const tf = require('@tensorflow/tfjs');
const outcome = (compute) => {
  try {
    tf.dispose(compute());
    return 'works';
  } catch {
    return 'raises';
  }
};
const both = (f, ...inputs) =>
  `${outcome(() => f(...inputs))}, gradient ${outcome(() => tf.grads((...given) => tf.sum(f(...given)))(inputs))}`;
(async () => {
  await tf.setBackend('cpu');
  const rows = tf.ones([4, 2, 3]);
  const seen = {
    'add [4,2,3] [2,3]': both((a, b) => tf.add(a, b), rows, tf.ones([2, 3])),
    'matMul [4,2,3] [3,2]': both((a, b) => tf.matMul(a, b), rows, tf.ones([3, 2])),
    'matMul [4,2,3] [1,3,2]': both((a, b) => tf.matMul(a, b), rows, tf.ones([1, 3, 2])),
    'squaredDifference [4,2,3] [2,3]': both((a, b) => tf.squaredDifference(a, b), rows, tf.ones([2, 3])),
    'mean, axis -1': both((x) => tf.mean(x, -1), rows),
    'cumsum, axis 2': both((x) => tf.cumsum(x, 2), rows),
    'cumsum, axis -1': both((x) => tf.cumsum(x, -1), rows),
    'prod, axis 2': both((x) => tf.prod(x, 2), rows),
    'prod, axis -1': both((x) => tf.prod(x, -1), rows),
  };
  console.log(JSON.stringify(seen, null, 1));
  const fine = 'works, gradient works';
  const raises = 'works, gradient raises';
  const expected = [fine, raises, raises, raises, fine, fine, raises, fine, raises];
  process.exitCode = Object.values(seen).join(';') === expected.join(';') ? 0 : 1;
})();
JS
node see.js 2> /dev/null
