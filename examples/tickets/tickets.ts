import { fileURLToPath } from 'node:url';
import { openRun, readExamples, TextClassifier, type TextFit, type TextPrediction } from 'hypetune';
import { model } from '../model.js';

// 90 support tickets, each with the team that answered it.
const file = fileURLToPath(new URL('tickets.csv', import.meta.url));
const tickets = await readExamples(file, { text: 'subject', label: 'team' });

// HyPe (noise on the hidden states) is the recipe unless another is named.
const classifier = new TextClassifier({ model, epochs: 4, learningRate: 2e-4, log: console.error });
export const fit: TextFit = await classifier.fit(tickets);
console.log('on the tenth set aside:', fit.metrics);

const folder = '.hypetune/examples/tickets';
await classifier.save(folder, { force: true });
classifier.dispose();

// Later, in another program:
const saved = await openRun(folder);
export const answers: readonly TextPrediction[] = await saved.predict([
  'You took the money for my plan two times',
  'The search page is empty since yesterday',
]);
for (const { label, probabilities } of answers) console.log(label, probabilities);
saved.dispose();
