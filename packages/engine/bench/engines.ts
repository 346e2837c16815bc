import type { EngineName } from '../src/choose.js';
import type { Precision } from '../src/recording/recorder-setting.js';

/** How a worker trains: on which engine, and in which precision a step is recorded, where it is. */
export interface Way {
  readonly engine: EngineName;
  readonly precision?: Precision;
}

/** The ways that `worker.ts` trains, by their names in benchmarks. */
export const ways = {
  native: { engine: 'native' },
  compiled: { engine: 'native', precision: 'float32' },
  bfloat16: { engine: 'native', precision: 'bfloat16' },
  wasm: { engine: 'wasm' },
  pjrt: { engine: 'pjrt', precision: 'float32' },
  'pjrt-bfloat16': { engine: 'pjrt', precision: 'bfloat16' },
} as const satisfies Readonly<Record<string, Way>>;

/** The modes of `torch_step.py`, by their names in benchmarks. */
export const torchModes = {
  torch: 'eager',
  'torch-compile': 'compile',
  'torch-bfloat16': 'bfloat16',
  'torch-compile-bfloat16': 'compile-bfloat16',
} as const;

export type WayName = keyof typeof ways;
export type TorchName = keyof typeof torchModes;

export const isTorch = (name: WayName | TorchName): name is TorchName => name in torchModes;

/** Every name of either. */
export const benchmarked = [...Object.keys(ways), ...Object.keys(torchModes)] as (WayName | TorchName)[];
