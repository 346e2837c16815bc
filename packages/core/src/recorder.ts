import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from './errors.js';

/** What a recording engine says about its work so far. */
export interface RecordingReport {
  /** Whether everything in the last step ran as one function. */
  readonly compiled: boolean;
  /** Functions held now. */
  readonly graphs: number;
  /** Functions compiled over the engine's life. */
  readonly compilations: number;
  readonly executions: number;
  /** Times that all functions were given back, since there were too many; what is needed again is compiled again. */
  readonly renewals: number;
  /** Operations that ran by themselves between compiled parts, with the reason; empty where whole steps compile. */
  readonly eagerOperations: Readonly<Record<string, string>>;
  /** Why the last step was not compiled, the operation named. */
  readonly lastReason?: string;
}

/** What a backend may offer under the property `recorder`: a whole step as one compiled function. */
export interface StepRecorder {
  /**
   * Runs `step`; the tensors still alive when it returns are the outputs of one function, compiled at its first use. Without
   * `compile` (default true) its operations run as they are, where the engine can.
   */
  record<T>(step: () => T, precision?: Precision, compile?: boolean): T;
  /** Whether steps in bfloat16 are faster, slower, or not there. */
  readonly bfloat16?: 'fast' | 'slow' | 'none';
  /** What products are computed in, where it is not float32. */
  readonly precision?: Precision;
  report(): RecordingReport;
}

/** One line for each reason for which a step did not run compiled; `warn` says a line once. */
export function warnUncompiled(recorder: StepRecorder | undefined, warn: (line: string) => void): void {
  const report = recorder?.report();
  if (report?.compiled === false)
    warn(
      `a step ran operation by operation, which is slower, not compiled: ${report.lastReason ?? 'no reason given'}.`,
    );
}

/** Whether steps are compiled: where the engine can, always (or an error), or never. */
export type CompileOption = 'auto' | boolean;

/** What matrix products are computed in: their operands and, but for small steps, results are rounded to it, everything else is float32. */
export type Precision = 'float32' | 'bfloat16';

/** `auto`: bfloat16 where the processor multiplies faster in it and steps are compiled, else float32. */
export type PrecisionOption = Precision | 'auto';

/**
 * The current backend's recorder, as `compile` and `precision` ask; `warn` hears of a precision that gains nothing, and of what
 * `auto` chose if that is not float32. Throws when it must compile and the backend cannot.
 */
export function stepRecorder(
  compile: CompileOption,
  precision: PrecisionOption = 'float32',
  warn: (line: string) => void = () => undefined,
): StepRecorder | undefined {
  const { recorder } = compile === false ? {} : (tf.backend() as { recorder?: StepRecorder });
  if (!recorder && compile === true)
    throw new HypetuneError(
      `trainer: compile is true, but the engine '${tf.getBackend()}' cannot compile steps; ` +
        `use the native engine, or compile: 'auto'.`,
    );
  const { bfloat16 = 'none' } = recorder ?? {};
  if (precision === 'float32' || (precision === 'auto' && bfloat16 !== 'fast')) return recorder;
  if (bfloat16 === 'none')
    throw new HypetuneError(
      `trainer: precision is '${precision}', but ${
        compile === false ? 'steps are not compiled' : `the engine '${tf.getBackend()}' has only float32`
      }; use compiled steps of the native engine on a processor, or precision: 'float32'.`,
    );
  if (precision === 'auto')
    warn('auto: matrix products are computed in bfloat16, which this processor has instructions for.');
  if (bfloat16 === 'slow')
    warn('this processor has no bfloat16 instructions, so that float32 is faster and more exact.');
  return {
    bfloat16,
    precision: 'bfloat16',
    record: (step, _, compile) => recorder!.record(step, 'bfloat16', compile),
    report: () => recorder!.report(),
  };
}
