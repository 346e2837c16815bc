import type { CurveLine } from '../store/record.js';
import type { Scalar } from './tensorboard.js';

/** The numbers of a line by name. */
export function scalarsOf(line: CurveLine): Scalar[] {
  const { step } = line;
  const named = (values: Readonly<Record<string, number>>): Scalar[] =>
    Object.entries(values).map(([tag, value]) => ({ tag, step, value }));
  if (line.kind === 'evaluation')
    return named(line.metrics).map((scalar) => ({ ...scalar, tag: `validation/${scalar.tag}` }));
  if (line.kind === 'epoch') return named({ 'train/epoch_loss': line.loss });
  const { loss, learningRate, gradientNorm, terms } = line;
  return [
    ...named({
      'train/loss': loss,
      'train/learning_rate': learningRate,
      'train/gradient_norm': gradientNorm,
    }),
    ...named(terms).map((scalar) => ({ ...scalar, tag: `train/terms/${scalar.tag}` })),
  ];
}
