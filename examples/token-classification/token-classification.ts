import { TextClassifier, type TextFit, type TextPrediction } from 'hypetune';
import { model } from '../model.js';

// A label for each word: which words name a product, which a town (B- begins a name, I- goes on with it).
const products = [['tent'], ['rain', 'jacket'], ['camping', 'stove'], ['boots']];
const towns = [['Bern'], ['New', 'York'], ['Oslo'], ['San', 'Marino']];
const named = (kind: string, words: string[]): string[] =>
  words.map((_, place) => `${place ? 'I' : 'B'}-${kind}`);
const rows = products.flatMap((product) =>
  towns.map((town) => ({
    words: ['send', 'the', ...product, 'to', ...town, 'please'],
    label: ['O', 'O', ...named('PRODUCT', product), 'O', ...named('TOWN', town), 'O'],
  })),
);

const classifier = new TextClassifier({
  model,
  problem: 'token-classification',
  epochs: 15,
  learningRate: 3e-4,
});
export const fit: TextFit = await classifier.fit(rows, { validation: rows });
console.log(fit.metrics);
export const answers: readonly TextPrediction[] = await classifier.predict([
  'ship my rain jacket to Oslo today',
]);
console.log(answers[0]?.labels);
classifier.dispose();
