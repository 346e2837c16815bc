import { HypetuneError, type ParameterInfo } from '@hypetune/core';

/** Which modules get adapters: names that a module's path ends with, or every linear one. */
export type TargetModules = 'all-linear' | readonly string[];

/**
 * The path of the module that a parameter belongs to: `bert.encoder.layer.0.attention.self.query`. One that is no module's weight or
 * bias, as XLNet's `rel_attn.q` or a recurrent kernel, stands for itself.
 */
export function moduleOf(parameter: string): string {
  return parameter.replace(/\.(weight|kernel|bias)$/, '');
}

/** Whether an adapter can be put on it: a pre-trained matrix that is no table of tokens. */
function isLinear({ role, shape, pretrained }: ParameterInfo): boolean {
  return role === 'kernel' && shape.length === 2 && pretrained;
}

/**
 * The kernels that get adapters. By default the modules `query` and `value`, as PEFT has it for BERT, RoBERTa and ELECTRA; on a
 * model without any, every linear one. Throws when there is nothing of that name.
 */
export function targetKernels(
  parameters: readonly ParameterInfo[],
  targets: TargetModules | undefined,
): ParameterInfo[] {
  const linear = parameters.filter(isLinear);
  const named = (names: readonly string[]): ParameterInfo[] =>
    linear.filter(({ name }) =>
      names.some((target) => moduleOf(name) === target || moduleOf(name).endsWith(`.${target}`)),
    );
  const attention = targets === undefined ? named(['query', 'value']) : [];
  const all = targets === 'all-linear' || (targets === undefined && attention.length === 0);
  const chosen = all ? linear : targets ? named(targets as readonly string[]) : attention;
  if (chosen.length > 0) return chosen;
  const has = [...new Set(linear.map(({ name }) => moduleOf(name).split('.').at(-1)))];
  throw new HypetuneError(
    has.length === 0
      ? 'lora: the model has no pre-trained linear module to adapt; it needs one below the head.'
      : `lora: targetModules must name a linear module, got ${JSON.stringify(targets)}; the model has ${has.join(', ')}.`,
  );
}
