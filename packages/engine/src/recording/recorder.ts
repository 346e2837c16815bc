import type { Attribute } from './attribute.js';
import { runOn, type Executor } from './binding.js';
import type { Source, Value } from './value.js';
import type { Kernel } from './kernel.js';
import {
  NotRecorded,
  type Precision,
  type RecorderSetting,
  type RecordingReport,
  type StepMode,
} from './recorder-setting.js';
import { KnownSteps } from './known-steps.js';
import { Recording } from './recording.js';
import { finish, poison, replay } from './replay.js';
import { demandOf, type Demand } from './demand.js';
import type { CompiledStep, Platform } from './platform.js';
import { forget } from './trie.js';

/** Runs a step's tensor operations as one compiled function; see `StepRecorder.record`. */
export class StepRecorder implements Executor, Source {
  readonly #platform: Platform;
  readonly #setting: RecorderSetting;
  readonly holdsValue = false;
  readonly #known: KnownSteps;
  /** Why an operation ran by itself, by name. */
  readonly #eager = new Map<string, string>();
  /** Operations that the compiler takes nowhere, whatever their inputs are. */
  readonly #refusedByCompiler = new Map<string, string>();
  #recording: Recording | undefined;
  /** Operations after which they are computed, whether the step is at its end or not. */
  #longest = Infinity;
  /** Whether the rest of the present step runs operation by operation. */
  #gaveUp = false;
  #mode: StepMode = { precision: 'float32', compile: true };
  #renewals = 0;
  #compilations = 0;
  #executions = 0;
  #compiled = false;
  #lastReason: string | undefined;

  constructor(platform: Platform, setting: RecorderSetting) {
    this.#platform = platform;
    this.#setting = setting;
    this.#known = new KnownSteps(platform, setting);
  }

  /**
   * Runs `step` with its tensor operations recorded, then computes every tensor that is still alive as one function, which
   * is compiled at its first use and found again afterwards. The JavaScript of `step` runs each time. Reading a value inside
   * computes what was recorded so far. If `step` throws, what is alive is computed operation by operation. In bfloat16 the
   * operands and, but for small steps, results of matrix products are rounded to it; all else stays float32. Without `compile` the operations of the
   * function run as they are, where the engine can: compiling takes seconds, more than it spares a step that hardly comes again.
   */
  record<T>(step: () => T, precision: Precision = 'float32', compile = true): T {
    if (this.#recording !== undefined) return step();
    if (precision !== 'float32' && this.bfloat16 === 'none')
      throw new Error(
        `Steps in ${precision} are for the native engine on a processor; here they run in float32 alone.`,
      );
    this.#mode = { precision, compile };
    this.#recording = new Recording(this.#known.root);
    this.#gaveUp = false;
    this.#compiled = true;
    let finished = false;
    try {
      this.#setting.install(this);
      const result = step();
      finished = true;
      this.#flush();
      return result;
    } finally {
      if (!finished) this.#abandon(this.#recording);
      this.#recording = undefined;
      this.#setting.install(undefined);
    }
  }

  /**
   * From now on records whatever it is given outside of steps, and computes it when a value is wanted or after `longest`
   * operations.
   */
  recordAlways(longest: number): void {
    this.#longest = longest;
    this.#recording = new Recording(this.#known.root);
  }

  /** Computes what was recorded so far. */
  settle(): void {
    if (this.#recording !== undefined) this.#flush();
  }

  /** Takes notice that something ran on the host instead. */
  ranElsewhere(name: string, reason: string): void {
    if (this.#recording === undefined) return;
    this.#eager.set(name, reason);
    this.#notCompiled(reason);
  }

  /** After an error in the step: computes what is alive, such as weights that were assigned already. */
  #abandon(recording: Recording): void {
    try {
      if (this.#setting.immediate === undefined) this.#flush();
      else this.#runAtOnce(recording);
    } catch {
      // The values that could not be computed say so when they are used; the step's own error is the one to report.
    }
  }

  report(): RecordingReport {
    return {
      compiled: this.#compiled,
      graphs: this.#known.functions,
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
    if (this.#gaveUp) return this.#runSingly(name, kernel, attributes, inputs, outputs);
    let entry = recording.match(name, attributes, inputs, outputs);
    if (entry === undefined) {
      if (this.#known.isFull && this.#setting.renew === undefined) {
        this.#notCompiled(
          `${this.#setting.limit} graphs are compiled already, and this step differs from all at ${name}`,
        );
        this.#gaveUp = true;
        this.#runAtOnce(recording);
        this.#recording = new Recording(this.#known.root);
        return this.#runSingly(name, kernel, attributes, inputs, outputs);
      }
      if (this.#known.isFull) recording = this.#renew(recording);
      entry = recording.extend(
        this.#known.graph,
        name,
        kernel,
        attributes,
        inputs,
        outputs,
        this.#refusedByCompiler.get(name),
      );
    }
    if (entry.refusal !== undefined) {
      this.#eager.set(name, entry.refusal);
      this.#notCompiled(entry.refusal);
      this.#flush();
      return this.#runSingly(name, kernel, attributes, inputs, outputs);
    }
    const values = recording.advance(entry, inputs, reuse);
    for (const value of values) value.source = this;
    if (recording.operations.length >= this.#longest) this.#flush();
    return values;
  }

  #runSingly(
    name: string,
    kernel: Kernel | undefined,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Value[] {
    const { immediate } = this.#setting;
    if (immediate === undefined) throw new NotRecorded(this.#eager.get(name) ?? name);
    return runOn(immediate, name, kernel, attributes, inputs, outputs);
  }

  /** What a step in bfloat16 is here. */
  get bfloat16(): 'fast' | 'slow' | 'none' {
    return this.#setting.bfloat16 ?? 'none';
  }

  /** Takes notice that the context, and every function with it, is gone. */
  forget(): void {
    this.#known.forget();
  }

  /** Makes room for new functions in the midst of a recording; the recording as it is then. */
  #renew(recording: Recording): Recording {
    this.#renewals++;
    this.#setting.renew!(recording.feeds);
    this.#recording = new Recording(this.#known.root);
    this.#rerecord(recording);
    const renewed = this.#recording;
    for (const feed of recording.feeds) {
      if (feed.recording !== renewed.number && !feed.alive && feed.holds === 0) this.#platform.release(feed);
    }
    return renewed;
  }

  /** Computes what has been recorded so far. */
  #flush(): void {
    const recording = this.#recording!;
    this.#recording = new Recording(this.#known.root);
    if (recording.operations.length === 0) return;
    const demand = demandOf(recording);
    if (demand.live.length > 0) {
      const { functions } = recording.position;
      let step = functions.find((candidate) => candidate.fits(demand, this.#mode));
      if (step === undefined) {
        if (this.#known.isFull && this.#setting.renew !== undefined) {
          this.#renew(recording);
          this.#flush();
          return;
        }
        if (this.#known.isFull) {
          this.#notCompiled(
            `${this.#setting.limit} graphs are compiled already, and other results of this step are used`,
          );
          this.#runAtOnce(recording);
          return;
        }
      }
      try {
        step ??= this.#platform.compile(this.#known.graph, recording, demand, this.#mode);
        step = this.#run(step, recording, demand);
        this.#executions++;
      } catch (error) {
        if ((step?.runs ?? 0) === 0 && this.#refused(recording, error as Error)) return;
        poison(recording, error as Error);
        throw error;
      }
      if (step.runs === 1) {
        functions.push(step);
        this.#known.countFunction();
        if (this.#mode.compile) this.#compilations++;
      }
    }
    finish(recording, this.#platform);
  }

  /** Runs a function; one that does not compile once more, under another name, if what it may have failed of was mended. */
  #run(step: CompiledStep, recording: Recording, demand: Demand): CompiledStep {
    const { background, repair } = this.#setting;
    try {
      step.run(recording, demand, background);
      return step;
    } catch (error) {
      if (
        step.runs > 0 ||
        this.#platform.refusedOperations((error as Error).message).length > 0 ||
        !repair?.()
      )
        throw error;
      const again = this.#platform.compile(this.#known.graph, recording, demand, this.#mode);
      again.run(recording, demand, background);
      return again;
    }
  }

  /** A function that does not compile: its refused operations run by themselves from now on, the rest compiled. */
  #refused(recording: Recording, error: Error): boolean {
    if (this.#setting.immediate === undefined) return false;
    const names = this.#platform
      .refusedOperations(error.message)
      .filter((name) => recording.operations.some(({ entry }) => entry.name === name));
    if (names.length === 0) {
      this.#notCompiled(error.message);
      this.#runAtOnce(recording);
      return true;
    }
    for (const name of names) this.#refusedByCompiler.set(name, `${name} cannot be compiled`);
    forget(this.#known.root, new Set(names));
    this.#notCompiled(`${names.join(', ')} cannot be compiled`);
    this.#again(recording);
    return true;
  }

  /** Computes the same operations again, those that are refused by now at once. */
  #again(recording: Recording): void {
    this.#rerecord(recording);
    this.#flush();
    finish(recording, this.#platform);
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
          this.#runSingly(entry.name, entry.kernel, entry.attributes, inputs, outputs.length),
        (value) => {
          this.#platform.release(value);
        },
      );
    } catch (error) {
      poison(recording, error as Error);
      throw error;
    }
    finish(recording, this.#platform);
  }

  #notCompiled(reason: string): void {
    this.#compiled = false;
    this.#lastReason = reason;
  }

  /** A recorded value is read or used outside of the recording. */
  resolve(value: Value): void {
    this.settle();
    if (value.handle === 0) value.source?.resolve(value);
  }

  release(): void {
    // A recorded value that nothing refers to is left out of the function.
  }

  /** tfjs has disposed a tensor: what an unfinished recording reads stays until it is computed. */
  dispose(value: Value): void {
    if (this.#recording !== undefined && value.recording === this.#recording.number) value.alive = false;
    else if (value.holds > 0) value.alive = false;
    else this.#platform.release(value);
  }
}
