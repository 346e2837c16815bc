import { TextClassifier, type TextFit } from 'hypetune';
import { model } from '../model.js';

// The pre-trained weights stand still; beside the attention's kernels a product of two thin matrices is trained, and the head.
const yes = ['a fine film', 'we loved the food', 'what a great day', 'good work'];
const no = ['an awful film', 'we hated the food', 'what a bad day', 'poor work'];
const rows = [...yes.map((text) => ({ text, label: 'good' })), ...no.map((text) => ({ text, label: 'bad' }))];

const classifier = new TextClassifier({
  model,
  recipe: { name: 'lora', plugins: [{ name: 'lora', options: { rank: 8, alpha: 16 } }] },
  epochs: 20,
  // Thin matrices take a larger rate than whole weights.
  learningRate: 2e-3,
});
export const fit: TextFit = await classifier.fit(rows, { validation: rows });
console.log(fit.metrics);
// What is saved has the product merged in: an ordinary model, no slower.
await classifier.save('.hypetune/examples/lora', { force: true });
classifier.dispose();
