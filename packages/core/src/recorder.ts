import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from './errors.js';

/** What a recording engine says about its work so far. */
export interface RecordingReport {
  /** Whether the last step ran as one compiled function. */
  readonly compiled: boolean;
  /** Compiled functions held now. */
  readonly graphs: number;
  /** Functions compiled over the engine's life. */
  readonly compilations: number;
  readonly executions: number;
  /** Why the last step was not compiled, the operation named. */
  readonly lastReason?: string;
}

/** What a backend may offer under the property `recorder`: a whole step as one compiled function. */
export interface StepRecorder {
  /** Runs `step`; the tensors still alive when it returns are the outputs of one function, compiled at its first use. */
  record<T>(step: () => T): T;
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

/** The current backend's recorder, as `compile` asks. Throws when it must compile and the backend cannot. */
export function stepRecorder(compile: CompileOption): StepRecorder | undefined {
  if (compile === false) return undefined;
  const { recorder } = tf.backend() as { recorder?: StepRecorder };
  if (!recorder && compile === true)
    throw new HypetuneError(
      `trainer: compile is true, but the engine '${tf.getBackend()}' cannot compile steps; ` +
        `use the native engine, or compile: 'auto'.`,
    );
  return recorder;
}
