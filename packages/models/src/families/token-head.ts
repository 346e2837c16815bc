import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ClassificationHead } from '../layers/classification-head.js';
import type { Common, Head } from './family.js';

/** What a token classifier is configured by. */
export interface TokenHeadConfig {
  readonly hiddenSize: number;
  readonly dropout: number;
}

/** classifier(drop(h)) of every token's hidden state: [B, T, H] -> [B, T, labels]. */
export function tokenHead(config: TokenHeadConfig, common: Common, labels: number): Head {
  const classifier = new ClassificationHead({ ...common, ...config, name: 'classifier', labels });
  return { connect: (hidden) => classifier.apply(hidden) as SymbolicTensor };
}
