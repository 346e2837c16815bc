import type { Executor } from './binding.js';
import type { Value } from './value.js';

/** What the matrix products of a step are computed in. */
export type Precision = 'float32' | 'bfloat16';

/** How a step is computed. */
export interface StepMode {
  readonly precision: Precision;
  /** False: the operations run as they are, which is right for a step that hardly comes again. */
  readonly compile: boolean;
}

/** How often steps were compiled and run, and what was not. */
export interface RecordingReport {
  /** Whether everything in the last step ran as one function. */
  readonly compiled: boolean;
  /** Functions that are kept. */
  readonly graphs: number;
  /** Times that a function was compiled, or found among the programs of earlier processes. */
  readonly compilations: number;
  /** Times that a function ran. */
  readonly executions: number;
  /** Times that all functions were given back, since there were too many; what is needed again is compiled again. */
  readonly renewals: number;
  /** Operations that ran by themselves, with the reason. */
  readonly eagerOperations: Readonly<Record<string, string>>;
  /** Why the last step that did not run so did not; names the operation. */
  readonly lastReason?: string;
}

/** An operation that an engine does not know, or not with such inputs. */
export class NotRecorded extends Error {
  override name = 'NotRecorded';
}

/** What a recorder works with. */
export interface RecorderSetting {
  /** Functions to keep at most. */
  readonly limit: number;
  /** Whether functions run in the background. */
  readonly background: boolean;
  /** Runs what is not recorded. Without one such an operation is a NotRecorded error, and all others run as functions. */
  readonly immediate?: Executor;
  /** Puts an executor in charge of new operations; undefined: the one that is outside of steps. */
  readonly install: (executor: Executor | undefined) => void;
  /** Gives back all compiled functions of the process and calls `forget`; values that tfjs does not have are given. */
  readonly renew?: (others: readonly Value[]) => void;
  /** Whether products in bfloat16 are faster than others, or slower since the processor has none; default: there are none. */
  readonly bfloat16?: 'fast' | 'slow';
  /** Mends what may have kept a function from being compiled; whether that is worth another try. */
  readonly repair?: () => boolean;
  /** Whether the process has room for no further function, however few there are. */
  readonly isCrowded?: () => boolean;
}
