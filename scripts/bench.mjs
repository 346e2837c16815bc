/** `npm run bench -- step|trainer|draws|methods|run|predict|memory|compiling|parity|gradients|exported|gpu [options]`: runs a benchmark on the sources. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const benchmarks = {
  step: '../packages/engine/bench/step.ts',
  trainer: './bench-trainer.ts',
  draws: '../packages/engine/bench/draws.ts',
  methods: './bench-methods.ts',
  run: './bench-run.ts',
  predict: './bench-predict.ts',
  memory: './bench-memory.ts',
  compiling: './bench-compiling.ts',
  parity: './bench-parity.ts',
  gradients: './bench-gradients.ts',
  exported: './bench-exported.ts',
  gpu: './bench-gpu.ts',
};
const [name, ...options] = process.argv.slice(2);
const file = Object.hasOwn(benchmarks, name ?? '')
  ? fileURLToPath(new URL(benchmarks[name], import.meta.url))
  : '';
if (!existsSync(file)) {
  process.stderr.write(
    'npm run bench -- NAME [options], where NAME is\n' +
      '  step       one training step on every engine, and on PyTorch with --python\n' +
      '  trainer    a step of the trainer with dropout and clipping, beside PyTorch with the BERT of transformers\n' +
      '  draws      what random numbers cost on every engine\n' +
      '  methods    what every method costs a step\n' +
      '  run        a whole fine-tuning run, and the same in PyTorch with --python and --reference\n' +
      '  predict    texts a second, and beside onnxruntime and PyTorch with --python\n' +
      '  memory     what training a BERT of base or large size holds in memory\n' +
      '  compiling  what compiling adds to the first step and to the first of a further length\n' +
      '  parity     how far every family is from PyTorch on every engine\n' +
      '  gradients  how far every method on every family is from its formula in PyTorch\n' +
      '  exported   size, accuracy and speed of exported folders in the programs they are for\n' +
      '  gpu        XLA through PJRT on a GPU, beside PyTorch with --python; --pack FOLDER for a machine without Node\n',
  );
  process.exit(1);
}
if (options.includes('--help')) {
  // What a benchmark's file says of itself.
  console.log(/^(\/\/.*\n)+|^\/\*\*[^]*?\*\/\n/.exec(readFileSync(file, 'utf8'))[0].trimEnd());
  process.exit(0);
}
if (name === 'gpu' && options.includes('--pack')) {
  const { pack } = await import('./pack-gpu.mjs');
  try {
    await pack(...options.filter((option) => option !== '--pack'));
    process.exit(0);
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  }
}
const child = spawn(
  process.execPath,
  ['--conditions=@hypetune/source', '--import', 'tsx', file, ...options],
  {
    stdio: 'inherit',
  },
);
// Ctrl-C reaches the child as well; it says when it is over.
process.on('SIGINT', () => undefined);
child.on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
