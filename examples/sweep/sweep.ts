import { mkdirSync, writeFileSync } from 'node:fs';
import '@tensorflow/tfjs-backend-cpu';
import { tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { randomNormal, seedKey } from '@hypetune/ops';
import { holm, mean, pairedT } from '@hypetune/statistics';
import type * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';

// %% Points inside and outside of a ring, every fifth with a wrong label: few to learn from, many to measure on.
function ring(points: number, seed: number, wrong = Infinity): { inputs: tf.Tensor; labels: number[] } {
  const inputs = randomNormal([points, 2], seedKey(seed));
  const labels = (inputs.arraySync() as number[][]).map(([x, y], row) => {
    const label = Math.hypot(x!, y!) < 1.2 ? 0 : 1;
    return row % wrong === 0 ? 1 - label : label;
  });
  return { inputs, labels };
}
const [few, many] = [ring(60, 1, 5), ring(400, 2)];
const [train, test] = [tensorData(few.inputs, few.labels), tensorData(many.inputs, many.labels)];

function network(seed: number): Sequential {
  const kernelInitializer = initializers.glorotUniform({ seed });
  const hidden = { units: 24, activation: 'relu', kernelInitializer } as const;
  return sequential({
    layers: [
      layers.dense({ ...hidden, inputShape: [2] }),
      layers.dense(hidden),
      layers.dense({ units: 2, kernelInitializer }),
    ],
  });
}

// %% The sweep: each scale of HyPe's noise with the same seeds.
const scales = [0, 0.03, 0.1, 0.3, 1];
const seeds = [1, 2, 3, 4, 5];

async function accuracy(scale: number, seed: number): Promise<number> {
  const model = network(seed);
  const plugins = [hype({ scale })];
  const settings = { batchSize: 12, optimizer: { learningRate: 0.02, weightDecay: 0 }, epochs: 30, seed };
  await new Trainer({ model, plugins, ...settings }).fit(train);
  const { metrics } = await new Trainer({ model }).evaluate(test);
  model.dispose();
  return metrics.accuracy!;
}

const runs: number[][] = [];
for (const scale of scales) {
  const row: number[] = [];
  for (const seed of seeds) row.push(await accuracy(scale, seed));
  runs.push(row);
}

// %% What it says: the paired difference to no noise, its interval, and p corrected for the number of scales.
const tests = runs.slice(1).map((row) => pairedT(runs[0]!, row));
const corrected = holm(tests.map((test) => test?.p ?? 1));
console.log('scale   mean    difference, 95 %             p (Holm)');
for (const [place, row] of runs.entries()) {
  const { low, high } = tests[place - 1]?.interval ?? { low: NaN, high: NaN };
  const difference = mean(row) - mean(runs[0]!);
  const against = `${difference.toFixed(4)}  [${low.toFixed(4)}, ${high.toFixed(4)}]   ${corrected[place - 1]?.toFixed(3)}`;
  console.log(`${String(scales[place]).padEnd(6)}  ${mean(row).toFixed(4)}  ${place > 0 ? against : ''}`);
}

// %% The picture: every run a dot, the means a line.
const [width, height, left, bottom] = [640, 360, 64, 48];
const all = runs.flat();
const [low, high] = [Math.min(...all), Math.max(...all)];
const x = (place: number): number => left + 32 + (place * (width - left - 64)) / (scales.length - 1);
const y = (value: number): number =>
  height - bottom - 16 - ((value - low) / (high - low || 1)) * (height - bottom - 48);
const label = (at: number, across: number, text: string, anchor = 'middle'): string =>
  `<text x="${across}" y="${at}" text-anchor="${anchor}">${text}</text>`;
const dots = runs.flatMap((row, place) =>
  row.map((value) => `<circle cx="${x(place)}" cy="${y(value).toFixed(1)}" r="4"/>`),
);
const line = runs.map((row, place) => `${x(place)},${y(mean(row)).toFixed(1)}`).join(' ');
export const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="#333">
<rect width="${width}" height="${height}" fill="white"/>
<path d="M${left} 16V${height - bottom}H${width - 16}" fill="none" stroke="#999"/>
${[low, (low + high) / 2, high].map((value) => label(y(value) + 4, left - 8, value.toFixed(3), 'end')).join('\n')}
${scales.map((scale, place) => label(height - bottom + 20, x(place), String(scale))).join('\n')}
${label(height - 8, width / 2, 'scale of the noise; accuracy of five seeds, and their mean')}
<g fill="#5b6ee1" fill-opacity="0.45">${dots.join('')}</g>
<polyline points="${line}" fill="none" stroke="#26339c" stroke-width="2"/>
</svg>
`;
mkdirSync('.hypetune', { recursive: true });
writeFileSync('.hypetune/sweep.svg', picture);
console.log('written to .hypetune/sweep.svg');
export { runs };
