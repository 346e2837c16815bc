import { TextClassifier, type TextFit, type TextPrediction } from 'hypetune';
import { model } from '../model.js';

// Any number of labels a text: what a mail is about, and whether it hurries.
const topics = {
  billing: ['the invoice is wrong', 'I was charged twice', 'please refund my card'],
  bug: ['the editor crashes', 'the page stays blank', 'saving shows an error'],
};
const hurry = ['', ', we need it today', ', this is urgent', ', thank you'];
const rows = Object.entries(topics).flatMap(([topic, texts]) =>
  texts.flatMap((text) =>
    hurry.map((end) => ({
      text: text + end,
      label: [topic, ...(/today|urgent/.test(end) ? ['urgent'] : [])],
    })),
  ),
);

const classifier = new TextClassifier({ model, problem: 'multi-label', epochs: 12, learningRate: 3e-4 });
export const fit: TextFit = await classifier.fit(rows, { validation: rows });
console.log(fit.metrics);
export const answers: readonly TextPrediction[] = await classifier.predict([
  'my card was charged again, this is urgent',
  'the editor shows an error',
]);
for (const { labels, probabilities } of answers) console.log(labels, probabilities);
classifier.dispose();
