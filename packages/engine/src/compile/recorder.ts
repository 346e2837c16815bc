import type { Attribute } from '../libtensorflow/attributes.js';
import type { Executor } from '../libtensorflow/binding.js';
import type { Runtime, Source, Value } from '../libtensorflow/values.js';
import { Graph } from './graph.js';
import type { Kernel } from './kernel.js';
import type { RecorderSetting, RecordingReport } from './recorder-setting.js';
import { Recording } from './recording.js';
import type { Precision } from './sheet.js';
import { refusedOperations } from './refusal.js';
import { poison, replay } from './replay.js';
import { StepFunction, demandOf, type Demand } from './step-function.js';
import { forget, rootEntry, type Entry } from './trie.js';

/** Runs a step's tensor operations as one compiled function; see `StepRecorder.record`. */
export class StepRecorder implements Executor, Source {
  readonly #runtime: Runtime;
  readonly #setting: RecorderSetting;
  readonly holdsValue = false;
  #graph: Graph;
  #root: Entry = rootEntry();
  readonly #eager = new Map<string, string>();
  #recording: Recording | undefined;
  /** Whether the rest of the present step runs operation by operation. */
  #gaveUp = false;
  #graphs = 0;
  #crowded = false;
  #precision: Precision | undefined;
  #renewals = 0;
  #compilations = 0;
  #executions = 0;
  #compiled = false;
  #lastReason: string | undefined;

  constructor(runtime: Runtime, setting: RecorderSetting) {
    this.#runtime = runtime;
    this.#setting = setting;
    this.#graph = new Graph(runtime.context);
  }

  /**
   * Runs `step` with its tensor operations recorded, then computes every tensor that is still alive as one function, which
   * is compiled at its first use and found again afterwards. The JavaScript of `step` runs each time. Reading a value inside
   * computes what was recorded so far. If `step` throws, what is alive is computed operation by operation.
   */
  record<T>(step: () => T, precision: Precision = 'float32'): T {
    if (this.#recording !== undefined) return step();
    this.#precision = process.env['HYBRID32'] || precision !== 'float32' ? precision : undefined;
    this.#recording = new Recording(this.#root);
    this.#gaveUp = false;
    this.#compiled = true;
    this.#setting.install(this);
    let finished = false;
    try {
      const result = step();
      finished = true;
      this.#flush();
      return result;
    } finally {
      if (!finished) this.#abandon(this.#recording);
      this.#recording = undefined;
      this.#setting.install(this.#setting.immediate);
    }
  }

  /** After an error in the step: computes what is alive, such as weights that were assigned already. */
  #abandon(recording: Recording): void {
    try {
      this.#runAtOnce(recording);
    } catch {
      // The values that could not be computed say so when they are used; the step's own error is the one to report.
    }
  }

  report(): RecordingReport {
    return {
      compiled: this.#compiled,
      graphs: this.#graphs,
      compilations: this.#compilations,
      executions: this.#executions,
      renewals: this.#renewals,
      eagerOperations: Object.fromEntries(this.#eager),
      ...(this.#lastReason === undefined ? {} : { lastReason: this.#lastReason }),
    };
  }

  execute(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    return this.#execute(name, undefined, attributes, inputs, outputs);
  }

  executeKernel(
    kernel: Kernel,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    return this.#execute(kernel.name, kernel, attributes, inputs, outputs);
  }

  #execute(
    name: string,
    kernel: Kernel | undefined,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
    reuse?: readonly Value[],
  ): Value[] {
    let recording = this.#recording!;
    if (this.#gaveUp) return this.#runOne(name, kernel, attributes, inputs, outputs);
    let entry = recording.match(name, attributes, inputs, outputs);
    if (entry === undefined) {
      if (this.#isFull && this.#setting.renew === undefined) {
        this.#notCompiled(
          `${this.#setting.limit} graphs are compiled already, and this step differs from all at ${name}`,
        );
        this.#gaveUp = true;
        this.#runAtOnce(recording);
        this.#recording = new Recording(this.#root);
        return this.#runOne(name, kernel, attributes, inputs, outputs);
      }
      if (this.#isFull) recording = this.#renew(recording);
      entry = recording.extend(this.#graph, name, kernel, attributes, inputs, outputs, this.#eager.get(name));
    }
    if (entry.refusal !== undefined) {
      this.#eager.set(name, entry.refusal);
      this.#notCompiled(entry.refusal);
      this.#flush();
      return this.#runOne(name, kernel, attributes, inputs, outputs);
    }
    const values = recording.advance(entry, inputs, reuse);
    for (const value of values) value.source = this;
    return values;
  }

  get #isFull(): boolean {
    return this.#graphs >= this.#setting.limit || this.#crowded;
  }

  /** Takes notice that the context, and every function with it, is gone. */
  forget(): void {
    this.#graph.delete();
    this.#graph = new Graph(this.#runtime.context);
    this.#root = rootEntry();
    this.#graphs = 0;
    this.#crowded = false;
  }

  /** Makes room for new functions in the midst of a recording; the recording as it is then. */
  #renew(recording: Recording): Recording {
    this.#renewals++;
    this.#setting.renew!(recording.feeds);
    this.#recording = new Recording(this.#root);
    this.#rerecord(recording);
    const renewed = this.#recording;
    for (const feed of recording.feeds) {
      if (feed.recording !== renewed.number && !feed.alive && feed.holds === 0) this.#runtime.release(feed);
    }
    return renewed;
  }

  #runOne(
    name: string,
    kernel: Kernel | undefined,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    if (kernel === undefined) return this.#setting.immediate.execute(name, attributes, inputs, outputs);
    return this.#setting.immediate.executeKernel(kernel, attributes, inputs, outputs);
  }

  /** Computes what has been recorded so far. */
  #flush(): void {
    const recording = this.#recording!;
    this.#recording = new Recording(this.#root);
    if (recording.operations.length === 0) return;
    const demand = demandOf(recording);
    if (demand.live.length > 0) {
      const { functions } = recording.position;
      let step = functions.find((candidate) => candidate.fits(demand, this.#precision));
      if (step === undefined) {
        if (this.#isFull && this.#setting.renew !== undefined) {
          this.#renew(recording);
          this.#flush();
          return;
        }
        if (this.#isFull) {
          this.#notCompiled(
            `${this.#setting.limit} graphs are compiled already, and other results of this step are used`,
          );
          this.#runAtOnce(recording);
          return;
        }
        step = new StepFunction(this.#runtime, this.#graph, recording, demand, this.#precision);
      }
      try {
        step = this.#run(step, recording, demand);
        this.#executions++;
      } catch (error) {
        if (step.runs === 0 && this.#refused(recording, error as Error)) return;
        poison(recording, error as Error);
        throw error;
      }
      if (step.runs === 1) {
        functions.push(step);
        this.#graphs++;
        this.#compilations++;
        this.#crowded = this.#setting.isCrowded?.() ?? false;
      }
    }
    this.#finish(recording);
  }

  /** Runs a function; one that does not compile once more, under another name, if what it may have failed of was mended. */
  #run(step: StepFunction, recording: Recording, demand: Demand): StepFunction {
    const { background, repair } = this.#setting;
    try {
      step.run(recording, demand, background);
      return step;
    } catch (error) {
      if (step.runs > 0 || refusedOperations((error as Error).message).length > 0 || !repair?.()) throw error;
      const again = new StepFunction(this.#runtime, this.#graph, recording, demand, this.#precision);
      again.run(recording, demand, background);
      return again;
    }
  }

  /** A function that does not compile: its refused operations run by themselves from now on, the rest compiled. */
  #refused(recording: Recording, error: Error): boolean {
    const names = refusedOperations(error.message).filter((name) =>
      recording.operations.some(({ entry }) => entry.name === name),
    );
    if (names.length === 0) {
      this.#notCompiled(error.message);
      this.#runAtOnce(recording);
      return true;
    }
    for (const name of names) this.#eager.set(name, `${name} cannot be compiled`);
    forget(this.#root, new Set(names));
    this.#notCompiled(`${names.join(', ')} cannot be compiled`);
    this.#again(recording);
    return true;
  }

  /** Computes the same operations again, those that are refused by now at once. */
  #again(recording: Recording): void {
    this.#rerecord(recording);
    this.#flush();
    this.#finish(recording);
  }

  #rerecord(recording: Recording): void {
    replay(
      recording,
      ({ entry, inputs, outputs }) =>
        this.#execute(entry.name, entry.kernel, entry.attributes, inputs, outputs.length, outputs),
      (value) => {
        this.dispose(value);
      },
    );
  }

  #runAtOnce(recording: Recording): void {
    try {
      replay(
        recording,
        ({ entry, inputs, outputs }) =>
          this.#runOne(entry.name, entry.kernel, entry.attributes, inputs, outputs.length),
        (value) => {
          this.#runtime.release(value);
        },
      );
    } catch (error) {
      poison(recording, error as Error);
      throw error;
    }
    this.#finish(recording);
  }

  /** Frees what died while it was being recorded. */
  #finish(recording: Recording): void {
    for (const feed of recording.feeds) if (!feed.alive && feed.holds === 0) this.#runtime.release(feed);
    for (const { outputs } of recording.operations) {
      for (const output of outputs) if (output.source === this) output.source = undefined;
    }
  }

  #notCompiled(reason: string): void {
    this.#compiled = false;
    this.#lastReason = reason;
  }

  /** A recorded value is read or used outside of the recording. */
  resolve(value: Value): void {
    this.#flush();
    if (value.handle === 0) value.source?.resolve(value);
  }

  release(): void {
    // A recorded value that nothing refers to is left out of the function.
  }

  /** tfjs has disposed a tensor: what an unfinished recording reads stays until it is computed. */
  dispose(value: Value): void {
    if (this.#recording !== undefined && value.recording === this.#recording.number) value.alive = false;
    else if (value.holds > 0) value.alive = false;
    else this.#runtime.release(value);
  }
}
