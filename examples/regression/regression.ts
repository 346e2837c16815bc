import { TextClassifier, type TextFit, type TextPrediction } from 'hypetune';
import { model } from '../model.js';

// A number a text: how satisfied a review sounds, from 0 to 4.
const judged = ['terrible', 'poor', 'fair', 'good', 'wonderful'];
const things = ['hotel', 'food', 'film', 'service', 'trip', 'museum'];
const rows = judged.flatMap((word, label) =>
  things.map((thing) => ({ text: `the ${thing} was ${word}`, label })),
);

const classifier = new TextClassifier({ model, problem: 'regression', epochs: 12, learningRate: 3e-4 });
export const fit: TextFit = await classifier.fit(rows, { validation: rows });
console.log(fit.metrics);
export const answers: readonly TextPrediction[] = await classifier.predict([
  'a wonderful book',
  'a terrible book',
]);
for (const { values } of answers) console.log(values);
classifier.dispose();
