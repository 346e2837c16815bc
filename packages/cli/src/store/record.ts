import type { ClassReport, LabelKind } from '@hypetune/core';

/** Everything that decides what a run computes. Its hash is the run's key. */
export interface RunIdentity {
  readonly version: 1;
  /** Of hypetune. */
  readonly release: string;
  readonly engine: string;
  readonly seed: number;
  readonly recipe: {
    readonly dropout: Readonly<Record<string, number>>;
    /** Every option of every method, and the hash of its code. */
    readonly plugins: readonly {
      readonly name: string;
      readonly options?: unknown;
      readonly code: string;
    }[];
  };
  readonly settings: Readonly<Record<string, unknown>>;
  /** What is measured beside the rows that are reported on. */
  readonly alsoMeasure?: readonly string[] | undefined;
  /** Metrics that modules bring, and the hash of their code. */
  readonly metrics?: { readonly names: readonly string[]; readonly code: string } | undefined;
  readonly task: {
    readonly name: string;
    readonly kind: LabelKind;
    readonly labels: readonly string[];
  };
  /** Hashes of the rows. */
  readonly rows: { readonly train: string; readonly validation: string; readonly test?: string | undefined };
  /** Hash of the model's folder. */
  readonly weights: string;
}

/** What was measured on a set of rows. */
export interface Measured {
  readonly rows: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly report?: ClassReport | undefined;
}

/** A run as it is stored: the same bytes for the same identity, wherever and whenever it is run. */
export interface StoredRecord {
  readonly version: 1;
  readonly key: string;
  readonly identity: RunIdentity;
  readonly status: 'finished' | 'failed';
  /** Why it failed. */
  readonly why?: string | undefined;
  readonly steps: number;
  readonly stopped?: string | undefined;
  readonly best?: { readonly value: number; readonly epoch: number } | undefined;
  /** Mean loss of the last epoch's steps, terms of plugins included. */
  readonly trainLoss?: number | undefined;
  /** The rows that choose epochs and settings. */
  readonly validation?: Measured | undefined;
  /** Rows that choose nothing. */
  readonly test?: Measured | undefined;
  /** The rows learned from, where they were asked for; nothing random, no term of a plugin. */
  readonly training?: Measured | undefined;
  /** Token similarity of the measured rows by layer, the embeddings first, where it was asked for. */
  readonly similarity?: readonly number[] | undefined;
}

/** What a run cost, and where: never the same twice. */
export interface Cost {
  /** Training and measuring on the way, compiling included. */
  readonly seconds: number;
  /** Of them, by how much steps that compiled took longer than the others. */
  readonly compileSeconds: number;
  /** Measuring at the end. */
  readonly measureSeconds: number;
  /** Most resident memory of the process seen at a step. */
  readonly memoryBytes: number;
  readonly finished: string;
  readonly environment: Readonly<Record<string, string | number>>;
}

/** One line of a curve: a step, an evaluation, the end of an epoch. */
export type CurveLine =
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly terms: Readonly<Record<string, number>>;
      readonly learningRate: number;
      readonly gradientNorm: number;
      readonly rows: number;
    }
  | {
      readonly kind: 'evaluation';
      readonly step: number;
      readonly epoch: number;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | { readonly kind: 'epoch'; readonly step: number; readonly epoch: number; readonly loss: number };

/** What a model said of one measured row. */
export interface PredictedLine {
  readonly row: number;
  readonly label: unknown;
  readonly loss: number;
  readonly logits: readonly number[];
}

/** The figures that are numbers: JSON, which has no NaN, holds null for the others. */
export function numbersIn(figures: Readonly<Record<string, number | null>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(figures).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

/** The figures that a run is compared by: of the rows that chose nothing, if there were such. */
export function measuredOf(record: StoredRecord): Measured | undefined {
  return record.test ?? record.validation;
}
