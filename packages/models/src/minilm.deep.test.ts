import '@tensorflow/tfjs-backend-cpu';
import {
  type Scalar,
  type Tensor,
  type Variable,
  setBackend,
  square,
  sum,
  tidy,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { model } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { expected, findMiniLM, inputsOf } from '../fixtures/minilm.js';
import { loadModel, namedWeights } from './index.js';

const folder = await findMiniLM();

/** sum(x^2) */
function squares(x: Tensor): Scalar {
  return sum<Scalar>(square(x));
}

test.skipIf(!folder)(
  'every gradient of MiniLM agrees with PyTorch transformers',
  { timeout: 600_000 },
  async () => {
    await setBackend('cpu');
    const { model: loaded } = await loadModel(folder!, { labels: 2 });
    const encoder = model({ inputs: loaded.inputs, outputs: loaded.layers.at(-2)!.output });
    const weights = namedWeights(loaded).filter(({ mark }) => mark.site !== 'head');
    const stored = (name: string): string => name.replace('bert.', '');
    expect(weights.map(({ name }) => stored(name)).sort()).toEqual(Object.keys(expected.gradients).sort());
    tidy(() => {
      const variables = weights.map(({ variable }) => variable.read() as unknown) as Variable[];
      const loss = (): Scalar => squares(encoder.apply(inputsOf(expected.rows[0]!)) as Tensor);
      const { grads } = variableGrads(loss, variables);
      for (const [i, { name, kind }] of weights.entries()) {
        const gradient = grads[variables[i]!.name]!;
        const values = gradient.dataSync();
        const [norm, ...first] = expected.gradients[stored(name)]!;
        const tolerance = 1e-4 * Math.max(1, norm!);
        expect(Math.abs(Math.sqrt(squares(gradient).dataSync()[0]!) - norm!), name).toBeLessThan(tolerance);
        const stride = kind === 'linear' ? gradient.shape[1]! : 1; // the reference's matrix is transposed
        first.forEach((value, at) => {
          expect(Math.abs(values[at * stride]! - value), name).toBeLessThan(tolerance);
        });
      }
    });
  },
);
