/**
 * Packs the benchmark of the engine on PJRT plugins for a machine that has Python with PyTorch and JAX's plugin, but no network
 * and perhaps no Node: `npm run bench -- gpu --pack FOLDER`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Bytes that the folder may have. */
const LIMIT = 60e6;

const RUN = `"""Runs the packed benchmark: python3 run.py [options of npm run bench -- gpu]. Needs no network and no Node."""
import lzma, os, stat, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
node = os.path.join(here, "node")
if not os.path.exists(node):
    with lzma.open(node + ".xz") as packed, open(node + ".partial", "wb") as target:
        while chunk := packed.read(1 << 20):
            target.write(chunk)
    os.chmod(node + ".partial", 0o755)
    os.rename(node + ".partial", node)
given = sys.argv[1:]
python = [] if "--python" in given else ["--python", sys.executable]
sys.exit(subprocess.run([node, os.path.join(here, "bundle", "bench.mjs"), *python, *given]).returncode)
`;

/** Makes the folder; throws if it becomes larger than it may, or if there is another folder of this name already. */
export async function pack(folder, ...others) {
  if (folder === undefined || others.length > 0)
    throw new Error(
      `--pack: wanted is the folder to make and nothing else, got '${[folder, ...others].join(' ')}'.`,
    );
  if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, 'bundle/bench.mjs')))
    throw new Error(
      `--pack: ${folder} has something else in it; name a new folder, or one that was packed before.`,
    );
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bundle'), { recursive: true });
  const shared = { bundle: true, platform: 'node', target: 'node20', minify: true, logLevel: 'error' };
  await build({
    ...shared,
    format: 'esm',
    entryPoints: {
      bench: join(root, 'scripts/bench-gpu.ts'),
      worker: join(root, 'packages/engine/bench/worker.ts'),
    },
    conditions: ['@hypetune/source'],
    // One tfjs for the bundles and for tfjs-node's kernels, which are a file of their own.
    external: ['@tensorflow/tfjs-core', 'koffi'],
    banner: {
      js:
        "import { createRequire as own } from 'node:module'; const require = own(import.meta.url);" +
        'const __dirname = import.meta.dirname;',
    },
    outdir: join(folder, 'bundle'),
    outExtension: { '.js': '.mjs' },
  });
  const require = createRequire(join(root, 'packages/engine/package.json'));
  const core = join(folder, 'node_modules/@tensorflow/tfjs-core');
  // The build for Node: tfjs-node's classes can extend no others.
  await build({
    ...shared,
    format: 'cjs',
    entryPoints: [require.resolve('@tensorflow/tfjs-core')],
    outfile: join(core, 'core.js'),
  });
  // Node finds the names for `import` in the second line, which never runs.
  const names = Object.keys(require('@tensorflow/tfjs-core')).filter((name) =>
    /^[A-Za-z_$][\w$]*$/.test(name),
  );
  writeFileSync(
    join(core, 'index.js'),
    `module.exports = require('./core.js');\n0 && (module.exports = { ${names.join(', ')} });\n`,
  );
  writeFileSync(
    join(core, 'package.json'),
    JSON.stringify({ name: '@tensorflow/tfjs-core', main: 'index.js' }),
  );
  execFileSync(process.execPath, [join(root, 'packages/engine/scripts/kernels.mjs')]);
  cpSync(join(root, 'packages/engine/dist/tfjs-node.cjs'), join(folder, 'tfjs-node.cjs'));
  rmSync(join(root, 'packages/engine/dist/tfjs-node.cjs'));
  const koffi = dirname(require.resolve('koffi'));
  cpSync(koffi, join(folder, 'node_modules/koffi'), { recursive: true, dereference: true });
  cpSync(join(koffi, '../@koromix/koffi-linux-x64'), join(folder, 'node_modules/@koromix/koffi-linux-x64'), {
    recursive: true,
    dereference: true,
  });
  // Parity is measured beside the wasm engine where there is no TensorFlow: it looks for its programs beside the package's main file.
  const wasm = dirname(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')));
  for (const part of ['package.json', 'dist/tf-backend-wasm.node.js', 'wasm-out'])
    cpSync(join(wasm, part), join(folder, 'node_modules/@tensorflow/tfjs-backend-wasm', part), {
      recursive: true,
      dereference: true,
    });
  cpSync(join(root, 'packages/engine/bench/torch_step.py'), join(folder, 'torch_step.py'));
  writeFileSync(join(folder, 'run.py'), RUN);
  const compress =
    'import lzma, shutil, sys; shutil.copyfileobj(open(sys.argv[1], "rb"), lzma.open(sys.argv[2], "wb", preset=4))';
  execFileSync('python3', ['-c', compress, process.execPath, join(folder, 'node.xz')]);
  const bytes = readdirSync(folder, { recursive: true }).reduce(
    (sum, name) => sum + statSync(join(folder, name)).size,
    0,
  );
  if (bytes > LIMIT)
    throw new Error(`${folder} has ${Math.round(bytes / 1e6)} MB; at most ${LIMIT / 1e6} are wanted.`);
  console.log(`${folder}: ${Math.round(bytes / 1e6)} MB; python3 run.py there runs it`);
}
