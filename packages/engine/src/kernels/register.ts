import * as tf from '@tensorflow/tfjs-core';
import type { Kernel } from '../recording/kernel.js';
import { TF_ATTR_FLOAT, TF_ATTR_INT, TF_ATTR_STRING } from '../recording/data-types.js';
import type { Attribute } from '../recording/attribute.js';
import type { RecordingBackend } from '../recording/tfjs-node.js';
import { registerKeyedDraw } from './keyed-draw.js';
import { adamwUpdate } from './adamw-update.js';
import { attention, attentionGradient } from './attention.js';
import { gelu, geluGradient } from './gelu.js';
import { holdBack } from './hold-back.js';
import { layerNorm, layerNormGradient } from './layer-norm.js';
import { linear, linearBiasGradient, linearInputGradient, linearKernelGradient } from './linear.js';
import { softmaxCrossEntropy, softmaxCrossEntropyGradient } from './softmax-cross-entropy.js';
import { sumOfSquares } from './sum-of-squares.js';

/** How tfjs calls a kernel: its inputs in order (`?` may be missing), its attributes in order, how many outputs it has. */
interface Signature {
  readonly kernel: Kernel;
  readonly inputs: readonly string[];
  readonly attributes?: readonly (readonly [name: string, type: number])[];
  readonly outputs: number;
}

const epsilon = ['epsilon', TF_ATTR_FLOAT] as const;
const heads = ['heads', TF_ATTR_INT] as const;
const betas = [['beta1', TF_ATTR_FLOAT] as const, ['beta2', TF_ATTR_FLOAT] as const];
const attended = ['query', 'key', 'value', 'maskBias?', 'mask?'];
const adamwInputs = [
  'gradient',
  'firstMoment',
  'secondMoment',
  'parameter',
  'stepSize',
  'secondScale',
  'decay',
];

const signatures: readonly Signature[] = [
  { kernel: linear, inputs: ['x', 'kernel', 'bias?'], outputs: 1 },
  { kernel: linearInputGradient, inputs: ['gradient', 'kernel'], outputs: 1 },
  { kernel: linearKernelGradient, inputs: ['x', 'gradient'], outputs: 1 },
  { kernel: linearBiasGradient, inputs: ['gradient'], outputs: 1 },
  { kernel: layerNorm, inputs: ['x', 'scale', 'offset'], attributes: [epsilon], outputs: 1 },
  { kernel: layerNormGradient, inputs: ['gradient', 'x', 'scale'], attributes: [epsilon], outputs: 3 },
  { kernel: gelu, inputs: ['x'], outputs: 1 },
  { kernel: geluGradient, inputs: ['gradient', 'x'], outputs: 1 },
  { kernel: attention, inputs: attended, attributes: [heads], outputs: 1 },
  { kernel: attentionGradient, inputs: ['gradient', ...attended], attributes: [heads], outputs: 3 },
  { kernel: softmaxCrossEntropy, inputs: ['labels', 'logits'], outputs: 1 },
  { kernel: softmaxCrossEntropyGradient, inputs: ['gradient', 'labels', 'logits'], outputs: 1 },
  { kernel: sumOfSquares, inputs: ['x'], outputs: 1 },
  { kernel: holdBack, inputs: ['x', 'gradient'], outputs: 2 },
  { kernel: adamwUpdate, inputs: adamwInputs, attributes: [...betas, epsilon], outputs: 3 },
];

/** Registers the kernels of @hypetune/ops for a native backend. */
export function registerFusedKernels(backendName: string): void {
  if (tf.getKernelsForBackend(backendName).some(({ kernelName }) => kernelName === adamwUpdate.name)) return;
  registerKeyedDraw(backendName);
  for (const signature of signatures) {
    tf.registerKernel({
      kernelName: signature.kernel.name,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) =>
        call(signature, inputs, backend as unknown as RecordingBackend, attrs ?? {}),
    });
  }
}

function call(
  { kernel, inputs: names, attributes: kinds = [], outputs }: Signature,
  inputs: tf.NamedTensorInfoMap,
  backend: RecordingBackend,
  values: tf.NamedAttrMap,
): tf.TensorInfo | tf.TensorInfo[] {
  const tensors: tf.TensorInfo[] = [];
  const given: string[] = [];
  let hasOptional = false;
  for (const name of names) {
    const optional = name.endsWith('?');
    const plain = optional ? name.slice(0, -1) : name;
    const tensor = inputs[plain];
    hasOptional ||= optional;
    if (tensor === undefined) {
      if (!optional) throw new Error(`Kernel ${kernel.name} needs the input "${plain}".`);
      continue;
    }
    tensors.push(tensor);
    if (optional) given.push(plain);
  }
  const attributes = kinds.map(([name, type]): Attribute => ({ name, type, value: values[name] }));
  if (hasOptional) attributes.push({ name: 'given', type: TF_ATTR_STRING, value: given.join(',') });
  const results = backend.binding.executeKernel(
    kernel,
    attributes,
    backend.getInputTensorIds(tensors),
    outputs,
  );
  const made = results.map((result) => backend.createOutputTensor(result));
  return outputs === 1 ? made[0]! : made;
}
