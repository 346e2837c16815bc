#!/usr/bin/env bash
# tensorflow-cpu 2.21.0: in a function compiled by XLA for the processor, what a product of two bfloat16 matrices is computed in hangs on
# the type of its result and on how the left operand lies in memory. tf.matmul, whose result is bfloat16, is multiplied in float32
# after widening both. A dot whose result is float32 is multiplied in bfloat16 (on a processor with AVX-512 BF16 at nearly twice the
# rate), with the right operand transposed too; with the left one transposed it is float32 again. And where a transpose comes before an
# elementwise operation with a scalar, the product stays bfloat16 in a layout that nothing can multiply: a valid program compiles,
# and raises UnimplementedError when it runs.
# Seen on Python 3.11, x86-64 with AVX-512 BF16. Prints what it sees; exits with 1 where that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install --quiet tensorflow-cpu==2.21.0
cat > "$folder/see.py" <<'PY'
import re

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla
from tensorflow.compiler.xla import xla_data_pb2


def dot(a, b, axes=(1, 0)):
    numbers = xla_data_pb2.DotDimensionNumbers(
        lhs_contracting_dimensions=[axes[0]], rhs_contracting_dimensions=[axes[1]]
    )
    return xla.dot_general(low(a), low(b), numbers, preferred_element_type=tf.float32)


def low(x):
    return tf.cast(x, tf.bfloat16)


forms = {
    "tf.matmul": lambda a, b: tf.matmul(low(a), low(b)),
    "dot to float32": lambda a, b: dot(a, b),
    "right one transposed": lambda a, b: dot(a, b, (1, 1)),
    "left one transposed": lambda a, b: dot(a, b, (0, 0)),
    "largest of the left one transposed and 0": lambda a, b: dot(tf.maximum(tf.transpose(a), 0.0), b),
}
a = tf.random.stateless_normal([256, 256], [1, 2])
b = tf.random.stateless_normal([256, 256], [3, 4])
for name, form in forms.items():
    compiled = tf.function(form, jit_compile=True, autograph=False)
    program = compiled.experimental_get_compiler_ir(a, b)(stage="optimized_hlo")
    types = dict(re.findall(r"%?([\w.-]+) = (\w+)\[", program))
    ((result, operands),) = re.findall(r"(\w+)\[\S* dot\(([^)]*)\)", program)
    read = [types[operand.split()[-1].lstrip("%")] for operand in operands.split(", ")]
    try:
        compiled(a, b)
        outcome = "runs"
    except tf.errors.UnimplementedError as error:
        outcome = error.message.split(" [")[0]
    print(f"{name}: {' x '.join(read)} = {result}, {outcome}")
PY
export TF_CPP_MIN_LOG_LEVEL=3
unset XLA_FLAGS
seen=$("$folder/v/bin/python" "$folder/see.py" 2> /dev/null)
echo "$seen"
[ "$seen" = 'tf.matmul: f32 x f32 = f32, runs
dot to float32: bf16 x bf16 = f32, runs
right one transposed: bf16 x bf16 = f32, runs
left one transposed: f32 x f32 = f32, runs
largest of the left one transposed and 0: bf16 x bf16 = f32, Unsupported element type for DotThunk::Execute: BF16 x BF16 = F32' ]
