/** Where a new package will stand. */
export interface PluginPlace {
  /** Version of hypetune's own packages. */
  readonly version: string;
  /** Path to the workspace's `tsconfig.base.json`; undefined for a package that stands alone. */
  readonly base?: string;
}

/** The files of a new plugin's package, by path. The method is a small penalty on large logits, to be replaced. */
export function pluginFiles(name: string, place: PluginPlace): Record<string, string> {
  const words = name.split('-');
  const title = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
  const variable = title[0]!.toLowerCase() + title.slice(1);
  const packageName = place.base === undefined ? `hypetune-${name}` : `@hypetune/${name}`;
  const names = { name, title, variable, packageName };
  return {
    'package.json': json(manifest(packageName, place)),
    'tsconfig.json': compact(json(compilerOptions(place))),
    'README.md': readme(names),
    'src/index.ts': index(names),
    'src/formula.ts': formula,
    [`src/${name}.ts`]: method(names),
    [`src/${name}.test.ts`]: tests(names),
    // In a checkout the registry puts it under the contract.
    ...(place.base === undefined && { 'src/contract.test.ts': contract(names) }),
  };
}

interface Names {
  readonly name: string;
  /** `MyNoise`, in words of text. */
  readonly title: string;
  /** `myNoise`. */
  readonly variable: string;
  readonly packageName: string;
}

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
/** Short lists on one line, as the formatter wants them outside of `package.json`. */
const compact = (text: string): string =>
  text.replace(/\[\s+("[^\]{]*?")\s+\]/g, (_, items: string) => `[${items.replace(/\s+/g, ' ')}]`);

function manifest(name: string, { version, base }: PluginPlace): object {
  const alone = base === undefined;
  // What is published on its own goes on with the patches to come.
  const peer = alone ? `^${version}` : version;
  const source = alone ? {} : { '@hypetune/source': './src/index.ts' };
  return {
    name,
    version: '0.1.0',
    description: 'Says in one line what the method does (Authors, year)',
    license: 'Apache-2.0',
    type: 'module',
    sideEffects: false,
    files: ['dist'],
    exports: { '.': { ...source, types: './dist/index.d.ts', default: './dist/index.js' } },
    ...(alone && { scripts: { build: 'tsc', test: 'vitest run', prepack: 'npm run build' } }),
    peerDependencies: {
      '@hypetune/core': peer,
      '@hypetune/ops': peer,
      '@tensorflow/tfjs-core': '4.22.0',
    },
    ...(alone && {
      devDependencies: {
        '@hypetune/core': version,
        '@hypetune/ops': version,
        '@hypetune/testing': version,
        '@tensorflow/tfjs-backend-cpu': '4.22.0',
        '@tensorflow/tfjs-core': '4.22.0',
        '@tensorflow/tfjs-layers': '4.22.0',
        typescript: '6.0.3',
        vitest: '4.1.12',
      },
    }),
  };
}

function compilerOptions({ base }: PluginPlace): object {
  const common = { include: ['src'], exclude: ['src/**/*.test.ts'] };
  if (base !== undefined)
    return {
      extends: base,
      compilerOptions: { rootDir: 'src', outDir: 'dist' },
      ...common,
      references: [{ path: '../core' }, { path: '../ops' }],
    };
  const target = { target: 'ES2022', lib: ['ES2023'], module: 'NodeNext', moduleResolution: 'NodeNext' };
  const checks = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
  const output = { rootDir: 'src', outDir: 'dist', declaration: true, sourceMap: true };
  return {
    compilerOptions: { ...target, ...checks, ...output, verbatimModuleSyntax: true, skipLibCheck: true },
    ...common,
  };
}

const index = ({ name }: Names): string => `export * from './formula.js';
export * from './${name}.js';
`;

const formula = `import * as tf from '@tensorflow/tfjs-core';

/** Squared length of each row of \`[rows, ...]\` logits, \`[rows]\`. */
export function squaredLength(logits: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.reshape(tf.square(logits), [logits.shape[0]!, -1]), -1);
}
`;

const method = ({ name, variable, title }: Names): string => `import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, LOSS_STAGE, z } from '@hypetune/core';
import { squaredLength } from './formula.js';

/** ${title} (Authors, year): \`loss + strength * mean ||logits||^2\`. */
export const ${variable} = defineMethod({
  name: '${name}',
  summary: 'Adds the mean squared logit to the loss.',
  source: 'Authors, year',
  cost: 'no extra pass',
  options: {
    strength: z.number().min(0).default(0.01).describe('weight of the term; 0 is off'),
  },
  apply({ name, hooks }, { strength }) {
    if (strength === 0) return;
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.PENALTY }, (terms, step) => {
      const penalty = step.mean(squaredLength(step.main.logits));
      return { ...terms, [name]: tf.mul(penalty, strength) };
    });
  },
});
`;

const tests = ({ name, variable }: Names): string => `import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer, type Plugin } from '@hypetune/core';
import { expect, test } from 'vitest';
import { ${variable}, squaredLength } from './index.js';

test('the squared length of each row, by hand', () => {
  expect(squaredLength(tf.tensor2d([3, 4, 1, 0], [2, 2])).arraySync()).toEqual([25, 1]);
});

test('options are checked by name', () => {
  expect(${variable}().options).toEqual({ strength: 0.01 });
  expect(() => ${variable}({ strength: -1 })).toThrow('${name}: strength must be');
  expect(() => ${variable}.create({ power: 1 })).toThrow("${name}: unknown option 'power'");
});

/** Trains the same small model on the same rows: losses, logits afterwards, and tensors left behind. */
async function train(...plugins: Plugin[]): Promise<{ losses: number[]; logits: number[][]; left: number }> {
  const start = (seed: number): ReturnType<typeof initializers.randomUniform> =>
    initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
  const model = sequential({
    layers: [
      layers.dense({ units: 6, activation: 'tanh', inputShape: [3], kernelInitializer: start(1) }),
      layers.dropout({ rate: 0.1 }),
      layers.dense({ units: 2, kernelInitializer: start(2) }),
    ],
  });
  const labels = Array.from({ length: 8 }, (_, row) => row % 2);
  const data = tensorData(tf.randomUniform([8, 3], -1, 1, 'float32', 3), labels);
  const optimizer = { learningRate: 0.01 };
  const trainer = new Trainer({ model, plugins, steps: 6, batchSize: 4, seed: 1, optimizer });
  const losses: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => {
    losses.push(loss);
  });
  const before = tf.memory().numTensors;
  await trainer.fit(data);
  const left = tf.memory().numTensors - before;
  return { losses, logits: (await trainer.predict(data)).map((row) => Array.from(row)), left };
}

test('strength zero is plain training, to the last bit', async () => {
  expect(await train(${variable}({ strength: 0 }))).toEqual(await train());
});

test('it changes training, the same way at every repetition, and leaves no tensor behind', async () => {
  const first = await train(${variable}());
  expect(first.losses).not.toEqual((await train()).losses);
  expect(await train(${variable}())).toEqual(first);
  expect(first.left).toBe(0);
});
`;

const contract = ({
  name,
  variable,
}: Names): string => `import { describeContract, modelNames } from '@hypetune/testing';
import { ${variable} } from './index.js';

// What every method passes: see the page of @hypetune/testing.
describeContract([
  {
    name: '${name}',
    method: ${variable},
    create: () => ${variable}(),
    off: () => ${variable}({ strength: 0 }),
    models: modelNames,
    folder: new URL('..', import.meta.url),
  },
]);
`;

const readme = ({ title, variable, packageName }: Names): string => `# ${packageName}

${title} adds the mean squared length of the logits to the loss. Say here what the method does, in two sentences.

**Claim.** What the paper says it improves, with a number.

**Equation.** \`loss + strength * mean ||logits||^2\`

\`\`\`ts
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer } from '@hypetune/core';
import { ${variable} } from '${packageName}';

const model = sequential({
  layers: [layers.dense({ units: 8, activation: 'tanh', inputShape: [4] }), layers.dense({ units: 2 })],
});
const data = tensorData(
  tf.randomUniform([32, 4]),
  Array.from({ length: 32 }, (_, row) => row % 2),
);
const trainer = new Trainer({ model, plugins: [${variable}()], steps: 2 });
await trainer.fit(data);
console.log(trainer.explain());
\`\`\`

## Options

<!-- generated: options -->

| option     | default | values               | meaning                      | in the paper and its code |
| ---------- | ------- | -------------------- | ---------------------------- | ------------------------- |
| \`strength\` | \`0.01\`  | a finite number >= 0 | weight of the term; 0 is off |                           |

<!-- end -->

## Hooks, cost, stacking

- \`afterLoss\`, stage \`LOSS_STAGE.PENALTY\`.
- No extra pass.
- Stacks with everything: the term has its own name.

## Differences from the source

- None.

## Citation

Authors. Title. Where, year.
`;
