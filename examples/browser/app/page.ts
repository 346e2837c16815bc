import type { Files, Report, Request } from './messages.js';
import type { Recipe } from './recipes.js';
import { readTable } from './table.js';

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const setup = byId<HTMLFormElement>('setup');
const [folder, address] = [byId<HTMLInputElement>('folder'), byId<HTMLInputElement>('address')];
const [epochs, rate] = [byId<HTMLInputElement>('epochs'), byId<HTMLInputElement>('rate')];
const [table, text] = [byId<HTMLTextAreaElement>('table'), byId<HTMLTextAreaElement>('text')];
const recipe = byId<HTMLSelectElement>('recipe');
const status = byId('status');
const button = (id: string): HTMLButtonElement => byId<HTMLButtonElement>(id);

const worker = new Worker('worker.js', { type: 'module' });
const ask = (request: Request): void => {
  worker.postMessage(request);
};

address.value = new URLSearchParams(location.search).get('model') ?? '';

/** What a model's folder may hold; the weights alone must be there, config.json beside them. */
const NAMES = [
  ...['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'],
  ...['special_tokens_map.json', 'added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt'],
];

async function modelFiles(): Promise<Files> {
  const files: Record<string, Blob> = {};
  for (const file of folder.files ?? []) if (NAMES.includes(file.name)) files[file.name] = file;
  if (Object.keys(files).length > 0) return files;
  if (address.value === '')
    throw new Error('Choose the folder of a model, or give its address on this server.');
  for (const name of NAMES) {
    const response = await fetch(`${address.value.replace(/\/?$/, '/')}${name}`);
    if (response.ok) files[name] = await response.blob();
  }
  return files;
}

function say(words: string, bad = false): void {
  status.textContent = words;
  status.classList.toggle('bad', bad);
}

/** What can be done now. */
function allow(state: 'idle' | 'training' | 'stopped' | 'ready'): void {
  const training = state === 'training';
  button('train').disabled = button('forget').disabled = training;
  button('stop').disabled = !training;
  button('resume').disabled = state !== 'stopped';
}

function allowUse(usable: boolean): void {
  text.disabled = button('export').disabled = !usable;
}

const curves = { loss: [] as [number, number][], accuracy: [] as [number, number][] };
let total = 1;

function draw(name: keyof typeof curves, shown: string): void {
  const points = curves[name];
  const top = name === 'accuracy' ? 1 : Math.max(...points.map(([, value]) => value));
  const line = points.map(([step, value]) => `${(100 * step) / total},${100 - 96 * (value / top)}`);
  byId(name).querySelector('polyline')!.setAttribute('points', line.join(' '));
  byId(name).querySelector('output')!.textContent = shown;
}

function clear(): void {
  curves.loss = [];
  curves.accuracy = [];
  draw('loss', '');
  draw('accuracy', '');
}

function start(request: Request): void {
  clear();
  allow('training');
  allowUse(false);
  ask(request);
}

worker.onmessage = ({ data }: MessageEvent<Report>) => {
  switch (data.type) {
    case 'recipes':
      for (const name of data.names) recipe.add(new Option(name));
      return;
    case 'found':
      say(data.text);
      allow(data.what === 'run' ? 'stopped' : 'idle');
      allowUse(data.what === 'model');
      return;
    case 'status':
      say(data.text);
      return;
    case 'step':
      total = data.total;
      curves.loss.push([data.step, data.loss]);
      draw('loss', `${data.loss.toFixed(3)} at step ${data.step} of ${data.total}`);
      return;
    case 'evaluation':
      curves.accuracy.push([data.step, data.accuracy]);
      draw('accuracy', data.accuracy.toFixed(3));
      return;
    case 'trained':
      say(data.text);
      allow(data.stopped ? 'stopped' : 'ready');
      allowUse(true);
      return;
    case 'answer':
      byId('answer').replaceChildren(...data.probabilities.map(bar));
      return;
    case 'folder': {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(data.zip);
      link.download = 'classifier.zip';
      link.click();
      URL.revokeObjectURL(link.href);
      button('export').disabled = false;
      return;
    }
    case 'error':
      say(data.text, true);
      allow('idle');
  }
};
worker.onerror = ({ message }) => {
  say(message, true);
};

function bar([label, share]: readonly [string, number]): HTMLElement {
  const row = document.createElement('div');
  const meter = Object.assign(document.createElement('meter'), { value: share });
  row.append(label, meter, `${(100 * share).toFixed(1)} %`);
  return row;
}

setup.addEventListener('submit', (event) => {
  event.preventDefault();
  const begin = async (): Promise<void> => {
    const rows = readTable(table.value);
    say('Reading the model…');
    button('train').disabled = true;
    const settings = { recipe: recipe.value as Recipe, epochs: +epochs.value, learningRate: +rate.value };
    start({ type: 'train', files: await modelFiles(), rows, settings });
  };
  begin().catch((error: unknown) => {
    button('train').disabled = false;
    say((error as Error).message, true);
  });
});
button('stop').onclick = () => {
  say('Stopping after the step at hand, then saving…');
  ask({ type: 'stop' });
};
button('resume').onclick = () => {
  start({ type: 'resume' });
};
button('forget').onclick = () => {
  ask({ type: 'forget' });
  clear();
  allow('idle');
  allowUse(false);
  say('Nothing is kept in this browser any more.');
};
button('export').onclick = () => {
  button('export').disabled = true;
  ask({ type: 'export' });
};
text.oninput = () => {
  ask({ type: 'predict', text: text.value });
};

table.ondragover = (event) => {
  event.preventDefault();
  table.classList.add('over');
};
table.ondragleave = () => {
  table.classList.remove('over');
};
table.ondrop = (event) => {
  event.preventDefault();
  table.classList.remove('over');
  const file = event.dataTransfer?.files[0];
  if (file) void file.text().then((content) => (table.value = content));
};
