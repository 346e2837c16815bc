/**
 * `npm run test:packages`: packs every package, installs the tarballs into an empty folder outside of the workspace, install scripts
 * allowed as npm allows them, and uses them there as people do: types, Node, the command, a plugin of one's own, Vite, webpack,
 * Vitest. Needs a built workspace and a registry (or npm's cache). `--keep` leaves the folder; `--node 22,24` tries other versions of
 * Node as well, `--pnpm` installs by pnpm too.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packAll } from './pack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const app = mkdtempSync(join(tmpdir(), 'hypetune-app-'));
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { typescript, vitest } = devDependencies;
const tfjs = '4.22.0';
const started = Date.now();

const failures = [];
const note = (text) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s  ${text}`);

/** Runs a program in the folder of the app; its output is shown where it fails, or ends otherwise than wanted. */
function run(title, command, args, { wanted, cwd = app } = {}) {
  return new Promise((resolve) => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    const end = (code) => {
      const ok = code === 0 && (wanted === undefined || wanted.test(output));
      note(`${ok ? 'ok  ' : 'FAIL'} ${title}`);
      if (!ok) {
        failures.push(title);
        console.log(output.slice(-6000));
      }
      resolve(output);
    };
    child.on('error', () => end(127));
    child.on('close', end);
  });
}

const node = (title, file, options) => run(title, process.execPath, [file], options);
const sh = (line) => ['sh', ['-c', line]];
const bin = (name) => join(app, 'node_modules', '.bin', name);

function write(files) {
  for (const [path, content] of Object.entries(files)) {
    const file = join(app, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  }
}

function megabytes(folder) {
  const bytes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return Math.round(bytes / 1e6);
}

const packed = packAll(join(app, 'tarballs'));
note(`${packed.length} packages, ${Math.round(packed.reduce((sum, { size }) => sum + size, 0) / 1000)} kB`);

const tarballs = Object.fromEntries(packed.map(({ name, file }) => [name, `file:${file}`]));
const common = { name: 'app', private: true, type: 'module' };
write({
  'package.json': {
    ...common,
    dependencies: {
      ...tarballs,
      ...{
        '@tensorflow/tfjs-core': tfjs,
        '@tensorflow/tfjs-layers': tfjs,
        '@tensorflow/tfjs-backend-cpu': tfjs,
      },
    },
  },
});
const npm = (title, ...args) =>
  run(title, 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel',
    'error',
    ...args,
  ]);
await npm('npm install, with install scripts');
note(`node_modules: ${megabytes(join(app, 'node_modules'))} MB`);
for (const name of [
  'sharp',
  'onnxruntime-node',
  '@xenova/transformers',
  '@tensorflow/tfjs-node',
  '@tensorflow/tfjs',
])
  if (existsSync(join(app, 'node_modules', name))) failures.push(`${name} is installed`);
await npm(
  'the tools of an app',
  ...[
    '--save-dev',
    `typescript@${typescript}`,
    `vitest@${vitest}`,
    'vite@8.3.8',
    'webpack@5.113.0',
    '@types/node@20',
  ],
);

const training = `
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { r3f } from '@hypetune/r3f';

export async function train() {
  const model = sequential({
    layers: [layers.dense({ units: 4, activation: 'tanh', inputShape: [2] }), layers.dense({ units: 2 })],
  });
  const data = tensorData(tf.tensor2d([0, 1, 1, 0, 1, 1, 0, 0], [4, 2]), [0, 0, 1, 1]);
  const trainer = new Trainer({ model, plugins: [hype(), r3f()], steps: 3 });
  return (await trainer.fit(data)).steps;
}
`;
/** One is a command alone, the other for Vitest. */
const names = packed
  .map(({ name }) => name)
  .filter((name) => !['create-hypetune', '@hypetune/testing'].includes(name));
write({
  'src/training.ts': training,
  'src/training.js': training,
  'src/main.js': `import { train } from './training.js';\nglobalThis.steps = train();\n`,
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  // Every package's types, and the values that it exports.
  'src/types.ts': names.map((name, place) => `export * as all${place} from '${name}';`).join('\n'),
  'src/all.js': `
    for (const name of ${JSON.stringify(names)}) {
      if (Object.keys(await import(name)).length === 0) throw new Error(name + ' exports nothing');
      if (Object.keys((await import('node:module')).createRequire(import.meta.url)(name)).length === 0) throw new Error(name + ' by require');
    }
    const { chooseEngine } = await import('@hypetune/engine');
    console.log((await chooseEngine()).reason);
    const { train } = await import('./training.js');
    console.log('steps', await train());`,
  'src/training.test.js': `
    import { expect, test } from 'vitest';
    import { train } from './training.js';
    test('trains', async () => { expect(await train()).toBe(3); }, 60_000);`,
  'vite-dev.js': `
    import { createServer } from 'vite';
    const server = await createServer({ logLevel: 'error', server: { port: 0, host: '127.0.0.1' } });
    await server.listen();
    const at = 'http://127.0.0.1:' + server.httpServer.address().port;
    const text = async (path) => { const answer = await fetch(at + path); if (!answer.ok) throw new Error(path + ' ' + answer.status + await answer.text()); return answer.text(); };
    const source = await text('/src/training.js');
    const core = /from "([^"]*hypetune_core[^"]*)"/.exec(source);
    if (!core) throw new Error(source);
    if (!(await text(core[1])).includes('Trainer')) throw new Error('no Trainer in ' + core[1]);
    console.log('served');
    await server.close();
    process.exit(0);`,
  'webpack-dev.js': `
    import webpack from 'webpack';
    webpack({ mode: 'development', context: import.meta.dirname, entry: './src/main.js', output: { path: import.meta.dirname + '/webpack' } }, (error, stats) => {
      if (error ?? stats.hasErrors()) { console.log(error ?? stats.toString('errors-only')); process.exit(1); }
    });`,
  'model.js': `
    import { mkdirSync, writeFileSync } from 'node:fs';
    import * as tf from '@tensorflow/tfjs-core';
    import '@tensorflow/tfjs-backend-cpu';
    import { bertConfig, bertModel, saveModel, withLabels } from '@hypetune/models';
    await tf.setBackend('cpu');
    const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'good', 'bad', 'the', 'film', 'was'];
    mkdirSync('tiny', { recursive: true });
    writeFileSync('tiny/vocab.txt', words.join('\\n') + '\\n');
    const config = bertConfig({ model_type: 'bert', vocab_size: words.length, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16, max_position_embeddings: 24 });
    await saveModel(bertModel(withLabels(config, ['no', 'yes']), { seed: 1 }), 'tiny', { tokenizer: 'tiny' });`,
  'films.csv': `text,label\n${Array.from({ length: 40 }, (_, row) => (row % 2 ? 'the film was good,yes' : 'the film was bad,no')).join('\n')}\n`,
});
for (const [name, resolution] of [
  ['nodenext', 'NodeNext'],
  ['bundler', 'Bundler'],
])
  write({
    [`tsconfig.${name}.json`]: {
      compilerOptions: {
        ...{ target: 'ES2022', module: resolution === 'NodeNext' ? 'NodeNext' : 'ESNext' },
        ...{ moduleResolution: resolution, strict: true, noEmit: true, skipLibCheck: false, types: ['node'] },
        lib: ['ES2023'],
      },
      include: ['src/*.ts'],
    },
  });

const types = async (name) => {
  const check = [bin('tsc'), '-p', `tsconfig.${name}.json`];
  // tfjs's own types have errors beside those of today's TypeScript; ours may have none.
  await run(
    `types under ${name}, those of libraries too`,
    ...sh(
      `${check.join(' ')} > ${name}.txt; ! grep -E '^(src|node_modules/(@hypetune|hypetune))/' ${name}.txt`,
    ),
  );
};
const command = async () => {
  await node('a model by the library', 'model.js');
  const hypetune = (title, args, wanted) =>
    run(title, 'npx', ['--no-install', 'hypetune', ...args], { wanted });
  const [data, pace] = ['--train films.csv --model tiny', '--epochs 20 --learning-rate 1e-2'];
  await hypetune(
    'npx hypetune train',
    `train ${data} ${pace} --recipe hype+r3f --out run`.split(' '),
    /engine: (native|wasm|cpu)[\s\S]*accuracy 1\.0000/,
  );
  await hypetune('npx hypetune predict', ['predict', 'run', 'the film was good'], /yes/);
};
const plugin = async () => {
  await run('npm create hypetune', 'npx', ['--no-install', 'create-hypetune', 'texts'], {
    wanted: /texts\/hypetune\.yaml/,
  });
  await run('npx hypetune new-plugin', 'npx', ['--no-install', 'hypetune', 'new-plugin', 'my-noise']);
  await run('its types', bin('tsc'), ['-p', 'my-noise', '--noEmit']);
  await run('its tests', bin('vitest'), ['run'], { cwd: join(app, 'my-noise') });
};

await Promise.all([
  types('nodenext').then(() => types('bundler')),
  node('every package in Node', 'src/all.js', { wanted: /steps 3/ }),
]);
await Promise.all([
  command(),
  run('vite build', bin('vite'), ['build', '--logLevel', 'error']).then(() =>
    node('vite, development', 'vite-dev.js', { wanted: /served/ }),
  ),
]);
await Promise.all([
  node('webpack, development', 'webpack-dev.js'),
  run('vitest', bin('vitest'), ['run', 'src']).then(plugin),
]);

const versions = process.argv.includes('--node')
  ? process.argv[process.argv.indexOf('--node') + 1].split(',')
  : [];
for (const version of versions) {
  const platform = `node-${process.platform}-${process.arch}`;
  await npm(`Node ${version}`, '--no-save', `node${version}@npm:${platform}@${version}`);
  await run(
    `every package in Node ${version}`,
    join(app, 'node_modules', `node${version}`, 'bin', 'node'),
    ['src/all.js'],
    {
      wanted: /steps 3/,
    },
  );
}
if (process.argv.includes('--pnpm')) {
  const manifest = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  // Not published, our packages are found at no registry: what they ask of each other is told to be the tarballs.
  write({
    'pnpm/package.json': { ...manifest, devDependencies: {} },
    'pnpm/pnpm-workspace.yaml': `overrides:\n${Object.entries(tarballs)
      .map(([name, file]) => `  '${name}': '${file}'\n`)
      .join('')}`,
    'pnpm/src/all.js': readFileSync(join(app, 'src/all.js'), 'utf8'),
    'pnpm/src/training.js': training,
  });
  const cwd = join(app, 'pnpm');
  await run('pnpm install', 'npx', ['--yes', 'pnpm@10', 'install', '--prefer-offline'], { cwd });
  await run('every package, installed by pnpm', process.execPath, ['src/all.js'], { cwd, wanted: /steps 3/ });
}
if (process.argv.includes('--keep')) console.log(app);
else rmSync(app, { recursive: true, force: true });
console.log(failures.length === 0 ? '\nthe packages install and work' : `\nfailed: ${failures.join(', ')}`);
process.exitCode = failures.length === 0 ? 0 : 1;
