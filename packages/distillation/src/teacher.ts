import type * as tf from '@tensorflow/tfjs-core';
import { HypetuneError, inputNames, outputOf, type PluginHost } from '@hypetune/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** Whether a value can be a teacher. */
export function isLayersModel(value: unknown): boolean {
  const { apply, inputs, outputs } = (value ?? {}) as Partial<LayersModel>;
  return typeof apply === 'function' && Array.isArray(inputs) && Array.isArray(outputs);
}

/**
 * The teacher as a function from a batch's inputs to logits `[rows, outputs]`, in evaluation mode. It gets those of the model's
 * inputs that have its inputs' names, or, where no name fits and there are as many, all in their order. Throws when it wants
 * others, answers with another number of values, or shares a weight with the model that is trained.
 */
export function teacherLogits(
  host: PluginHost,
  teacher: LayersModel,
): (inputs: readonly tf.Tensor[]) => tf.Tensor {
  const { name, task } = host;
  const ending = outputOf(teacher);
  const outputs = task.outputs(ending);
  if (outputs !== host.outputs)
    throw new HypetuneError(
      `${name}: the teacher gives ${outputs} outputs a row, the model ` +
        `${host.outputs}; they must be the same ones.`,
    );
  const trained = new Set(host.parameters.map((parameter) => host.value(parameter)));
  const shared = teacher.weights.find((weight) => trained.has(weight.read()));
  if (shared)
    throw new HypetuneError(
      `${name}: the teacher shares the weight '${shared.originalName}' with the model; give one with weights of its own.`,
    );
  const places = inputPlaces(name, inputNames(teacher), host.inputNames);
  return (inputs) => {
    const given = places.map((place) => inputs[place]!);
    const output = teacher.apply(given.length === 1 ? given[0]! : given, { training: false });
    return task.logits((Array.isArray(output) ? output[0] : output) as tf.Tensor, ending);
  };
}

function inputPlaces(plugin: string, wanted: readonly string[], there: readonly string[]): number[] {
  const places = wanted.map((input) => there.indexOf(input));
  if (places.every((place) => place >= 0)) return places;
  if (places.every((place) => place < 0) && wanted.length === there.length)
    return places.map((_, place) => place);
  throw new HypetuneError(
    `${plugin}: the teacher wants the inputs ${wanted.join(', ')}, the model has ${there.join(', ')}; ` +
      'give a teacher that needs no others.',
  );
}
