/** What the page and its worker say to each other. */
import type { Recipe } from './recipes.js';

export interface Row {
  readonly text: string;
  readonly label: string;
}

export interface Settings {
  readonly recipe: Recipe;
  readonly epochs: number;
  readonly learningRate: number;
}

/** A model's files by their names. */
export type Files = Readonly<Record<string, Blob>>;

export type Request =
  | {
      readonly type: 'train';
      readonly files: Files;
      readonly rows: readonly Row[];
      readonly settings: Settings;
    }
  | { readonly type: 'resume' | 'stop' | 'forget' | 'export' }
  | { readonly type: 'predict'; readonly text: string };

export type Report =
  | { readonly type: 'recipes'; readonly names: readonly string[] }
  /** What an earlier visit left: a run that was not finished, or a tuned model. */
  | { readonly type: 'found'; readonly what: 'nothing' | 'run' | 'model'; readonly text: string }
  | { readonly type: 'status'; readonly text: string }
  | { readonly type: 'step'; readonly step: number; readonly total: number; readonly loss: number }
  | { readonly type: 'evaluation'; readonly step: number; readonly accuracy: number }
  | { readonly type: 'trained'; readonly stopped: boolean; readonly text: string }
  | { readonly type: 'answer'; readonly probabilities: readonly (readonly [label: string, share: number])[] }
  | { readonly type: 'folder'; readonly zip: Blob }
  | { readonly type: 'error'; readonly text: string };
