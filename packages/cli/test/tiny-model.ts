import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { bertConfig, bertModel, saveModel, withLabels } from '@hypetune/models';
import * as tf from '@tensorflow/tfjs-core';
import type { Scratch } from './scratch.js';

const WORDS = [
  'good',
  'fine',
  'great',
  'bad',
  'poor',
  'awful',
  'day',
  'night',
  'film',
  'food',
  'the',
  'a',
  'was',
  'very',
];

/** A model folder as one gets it from a hub, so small that a run takes a second: a layer of width 8, 24 positions. */
export async function tinyModel({ folder, write }: Scratch): Promise<string> {
  const home = join(folder, 'tiny');
  await tf.setBackend('cpu');
  const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS];
  write('tiny/vocab.txt', `${vocabulary.join('\n')}\n`);
  const config = bertConfig({
    ...{ model_type: 'bert', vocab_size: vocabulary.length, hidden_size: 8, num_hidden_layers: 1 },
    ...{ num_attention_heads: 2, intermediate_size: 16, max_position_embeddings: 24 },
    initializer_range: 0.2,
  });
  const model = bertModel(withLabels(config, ['no', 'yes']), { seed: 3 });
  await saveModel(model, home, { tokenizer: home });
  model.dispose();
  return home;
}

/** `rows` lines of a task that can be learned: a text is positive if its one judging word is. */
export function sentiment(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const judgement = WORDS[(row * 5) % 6]!;
    return `${WORDS[10 + (row % 2)]!} ${WORDS[6 + (row % 4)]!} was ${row % 3 === 0 ? 'very ' : ''}${judgement}\t${(row * 5) % 6 < 3 ? 'yes' : 'no'}`;
  });
  return `text\tlabel\n${lines.join('\n')}\n`;
}

/** Flags of a run on a table, which it is measured on too, from the tiny model on the cpu engine. */
export async function tinyFlags(home: Scratch, table: string): Promise<string[]> {
  return ['--train', table, '--validation', table, '--model', await tinyModel(home), '--engine', 'cpu'];
}
