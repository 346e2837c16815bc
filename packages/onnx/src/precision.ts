/**
 * What weights are written as: `fp32` and `fp16` all of them, `q8` the kernels and the token table in eight bits, a scale for each
 * output or row, and activations rounded to eight bits in front of a kernel when the model runs.
 */
export type Precision = 'fp32' | 'fp16' | 'q8';

/** The precisions, and the file that transformers.js looks for. */
export const PRECISION_FILES: Readonly<Record<Precision, string>> = {
  fp32: 'model.onnx',
  fp16: 'model_fp16.onnx',
  q8: 'model_quantized.onnx',
};
