import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParameterInfo } from './parameters.js';
import type { PluginHost } from './plugin.js';
import { OPTIMIZER_STAGE } from './stages.js';
import type { Step } from './step.js';

/** A tensor that a plugin keeps for each parameter, from step to step and over a resume. */
export interface ParameterState {
  get(parameter: Pick<ParameterInfo, 'name'>): Tensor;
  /** Takes the new value over. */
  set(parameter: Pick<ParameterInfo, 'name'>, value: Tensor): void;
}

/** A tensor for every parameter that the run trains at some time, `initial` until it is set; the plugin's tensor of that name. */
export function parameterState(
  { name: plugin, hooks, tensors }: PluginHost,
  initial: (parameter: ParameterInfo) => Tensor,
): ParameterState {
  hooks.onFitStart.tap(plugin, ({ parameters }) => {
    // A longer run may train more than the one that it resumes.
    for (const parameter of parameters)
      if (!tensors.get(parameter.name)) tensors.set(parameter.name, initial(parameter));
  });
  return {
    get: ({ name }) => tensors.get(name)!,
    set: ({ name }, value) => {
      tensors.set(name, value);
    },
  };
}

/** Puts another optimizer in the place of AdamW: what is to be added to a parameter, given its gradient. */
export function replaceOptimizer(
  { name: plugin, hooks }: PluginHost,
  update: (parameter: ParameterInfo, gradient: Tensor, step: Step) => Tensor,
): void {
  hooks.aroundUpdate.tap(
    { name: plugin, stage: OPTIMIZER_STAGE.REPLACE },
    (_, step) => (gradients) =>
      Object.fromEntries(
        step.parameters.map((parameter) => [
          parameter.name,
          update(parameter, gradients[parameter.name]!, step),
        ]),
      ),
  );
}
