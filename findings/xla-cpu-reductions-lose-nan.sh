#!/usr/bin/env bash
# tensorflow-cpu 2.21.0: in a function compiled by XLA (jit_compile=True) for the processor, reduce_max and reduce_min lose NaN,
# which they keep when run by themselves; elementwise maximum keeps it in both. A training loss that is a largest value so goes on
# silently after its numbers are gone. With XLA_FLAGS=--xla_cpu_enable_fast_min_max=false reductions keep NaN too.
# Seen on Python 3.11, x86-64. Prints what it sees; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat > "$folder/see.py" <<'PY'
import tensorflow as tf

x = tf.constant([float('nan'), 3.0] * 500)
operations = {'reduce_max': tf.reduce_max, 'reduce_min': tf.reduce_min, 'maximum': lambda x: tf.maximum(x, 1.0)}
for name, run in operations.items():
    compiled = tf.function(run, jit_compile=True, autograph=False)
    count = lambda y: int(tf.reduce_sum(tf.cast(tf.math.is_nan(y), tf.int32)))
    print(f'{name}: {count(run(x))} NaN alone, {count(compiled(x))} compiled')
PY
export TF_CPP_MIN_LOG_LEVEL=3
unset XLA_FLAGS
default=$("$folder/v/bin/python" "$folder/see.py" 2> /dev/null)
flagged=$(XLA_FLAGS=--xla_cpu_enable_fast_min_max=false "$folder/v/bin/python" "$folder/see.py" 2> /dev/null)
printf 'by default:\n%s\nwith the flag:\n%s\n' "$default" "$flagged"
[ "$default" = 'reduce_max: 1 NaN alone, 0 compiled
reduce_min: 1 NaN alone, 0 compiled
maximum: 500 NaN alone, 500 compiled' ]
[ "$flagged" = 'reduce_max: 1 NaN alone, 1 compiled
reduce_min: 1 NaN alone, 1 compiled
maximum: 500 NaN alone, 500 compiled' ]
