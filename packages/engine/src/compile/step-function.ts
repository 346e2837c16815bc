import { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_RESOURCE } from '../recording/data-types.js';
import type { Attribute } from '../recording/attribute.js';
import type { Output } from '../libtensorflow/symbols.js';
import type { Runtime } from '../libtensorflow/values.js';
import type { Value } from '../recording/value.js';
import { digest } from '../recording/digest.js';
import type { Demand } from '../recording/demand.js';
import type { CompiledStep, Node } from '../recording/platform.js';
import { Graph } from './graph.js';
import { writeHybrid } from './hybrid.js';
import { liveGraph, writeLive } from '../recording/live-graph.js';
import { pairState, type Pair } from '../recording/pairing.js';
import type { Recording } from '../recording/recording.js';
import type { StepMode } from '../recording/recorder-setting.js';
import { Sheet } from './sheet.js';
import { Variable } from './variables.js';

/**
 * `productSize` of a step from which on float32 is faster in pieces: TensorFlow's own products are faster than XLA's then, by more
 * than the starts of pieces cost. BERT-base has twice as much on 1,024 tokens, MiniLM-L6 half.
 */
const LARGE_PRODUCTS = 1e9;

/**
 * `productSize` of a step up to which in bfloat16 it is compiled as a whole, products and all: it takes a seventh less than in pieces.
 * BERT-tiny has two fifths of it on 1,024 tokens, MiniLM-L6 four times as much. Larger steps gain less, and compile for longer.
 */
const SMALL_PRODUCTS = 1e8;

const MUST_COMPILE: readonly Attribute[] = [{ name: '_XlaMustCompile', type: TF_ATTR_BOOL, value: true }];

/**
 * The same in every process that records this step, whatever it recorded before: XLA's text of a program holds it, and with
 * it the programs of earlier processes are found.
 */
function nameOf(
  named: Map<string, number>,
  recording: Recording,
  { live, dying }: Demand,
  mode: StepMode,
): string {
  const name = digest([recording.position.path, live.map(({ reference }) => reference), [...dying]]);
  // Counted for each mode alone: whether it was recorded in another one before is no matter.
  const key = [name, mode.precision, mode.compile].join();
  const number = named.get(key) ?? 0;
  named.set(key, number + 1);
  return `step_${name}_${number}`;
}

/** A recorded step as one TensorFlow function; compiled, it overwrites the state it replaces. */
export class StepFunction implements CompiledStep {
  readonly #runtime: Runtime;
  readonly #name: string;
  readonly #attributes: readonly Attribute[];
  readonly #mode: StepMode;
  readonly #live: readonly number[];
  readonly #dying: ReadonlySet<number>;
  /** By feed: the position in the live results of what overwrites it. */
  readonly #replacedBy = new Map<number, number>();
  /** Live results that are handed out, in order. */
  readonly #returned: readonly number[];
  /** Feeds that it takes rounded to bfloat16. */
  readonly #rounded: ReadonlySet<number> = new Set();
  runs = 0;

  /**
   * A compiled step is one whole in float32, unless its products are large or a kernel in it wants otherwise, and written in pieces in
   * bfloat16, unless its products are small and XLA has such here.
   */
  constructor(runtime: Runtime, graph: Graph, recording: Recording, demand: Demand, mode: StepMode) {
    this.#runtime = runtime;
    this.#mode = mode;
    this.#live = demand.live.map((value) => value.reference);
    this.#dying = demand.dying;
    // Operations that run as they are overwrite nothing.
    const pairs = mode.compile ? pairState(recording, demand.live, demand.dying) : [];
    for (const { feed, output } of pairs) this.#replacedBy.set(feed, output);
    const replaced = new Set(this.#replacedBy.values());
    this.#returned = demand.live.map((_, i) => i).filter((i) => !replaced.has(i));
    const name = nameOf(runtime.functionNames, recording, demand, mode);
    const feeds = recording.feeds.map((feed) => recording.node(feed.reference));
    const sheet = new Sheet(runtime.context, feeds, mode);
    try {
      const written = writeLive(sheet, recording, this.#live);
      if (!mode.compile) {
        this.#attributes = [];
        this.#name = `${name}_as_it_is_in_${mode.precision}`;
        const inputs = feeds.map((_, i) => sheet.feed(i));
        this.#register(sheet.graph.cut(this.#name, null, inputs, written.results));
        return;
      }
      const { productSize } = sheet;
      const hasParts = recording.operations.some(({ entry }) => entry.kernel?.parts === true);
      const isSmall =
        productSize > 0 && productSize <= SMALL_PRODUCTS && runtime.compilesBfloat16 && !hasParts;
      if (hasParts || productSize >= LARGE_PRODUCTS || (mode.precision === 'bfloat16' && !isSmall)) {
        this.#attributes = [];
        this.#name = `${name}_in_pieces_of_${mode.precision}`;
        // What dies with the step or may still be computed is not worth keeping, or waiting for.
        const lasting = feeds
          .map((_, i) => i)
          .filter((i) => !demand.dying.has(i) && !runtime.stepResults.has(recording.feeds[i]!));
        const hybrid = writeHybrid(runtime, sheet, this.#name, feeds, written.results, pairs, lasting);
        this.#rounded = hybrid.rounded;
        this.#register(hybrid.definition);
        return;
      }
    } finally {
      sheet.graph.delete();
    }
    this.#attributes = MUST_COMPILE;
    if (mode.precision === 'float32') {
      const { operations, results } = liveGraph(graph, name, recording, this.#live);
      this.#name = this.#writeWhole(graph, name, operations, feeds, results, pairs);
      return;
    }
    const whole = new Sheet(runtime.context, feeds, mode, 'compiled');
    try {
      const { results } = writeLive(whole, recording, this.#live);
      const inputs = feeds.map((_, i) => whole.feed(i));
      const ownName = `${name}_of_${mode.precision}`;
      this.#name = this.#writeWhole(whole.graph, ownName, null, inputs, results, pairs);
    } finally {
      whole.graph.delete();
    }
  }

  /** Writes a step as one function to compile; its name. */
  #writeWhole(
    graph: Graph,
    name: string,
    operations: readonly number[] | null,
    feeds: readonly Node[],
    results: readonly Node[],
    pairs: readonly Pair[],
  ): string {
    const body = graph.cut(name, operations, feeds, results);
    const outer = pairs.length === 0 ? name : this.#wrap(graph, name, body, feeds, results, pairs);
    this.#register(body);
    return outer;
  }

  /** Around the body of the step: reads the variables, calls the body, overwrites the variables. */
  #wrap(
    recorded: Graph,
    name: string,
    body: number,
    feeds: readonly Node[],
    results: readonly Node[],
    pairs: readonly Pair[],
  ): string {
    const graph = new Graph(this.#runtime.context);
    try {
      recorded.copyFunctionsTo(graph);
      graph.copyFunction(body);
      const variables = new Map<number, Output>();
      const inputs: Output[] = [];
      const values = feeds.map((feed, i) => {
        if (!this.#replacedBy.has(i)) {
          const input = graph.placeholder(feed.dtype, feed.shape!);
          inputs.push(input);
          return input;
        }
        const variable = graph.placeholder(TF_RESOURCE, []);
        inputs.push(variable);
        variables.set(i, variable);
        return graph.add(
          'ReadVariableOp',
          [{ name: 'dtype', type: TF_ATTR_TYPE, value: feed.dtype }],
          [variable],
          1,
        )[0]!;
      });
      const outputs = graph.add(name, [], values, results.length);
      const effects = pairs.map(({ feed, output }) => {
        const attributes = [
          { name: 'dtype', type: TF_ATTR_TYPE, value: results[output]!.dtype },
          { name: 'validate_shape', type: TF_ATTR_BOOL, value: false },
        ];
        return graph.addEffect('AssignVariableOp', attributes, [variables.get(feed)!, outputs[output]!]);
      });
      const outer = `${name}_in_place`;
      const wrapper = graph.cut(
        outer,
        null,
        inputs,
        this.#returned.map((i) => outputs[i]!),
        effects,
      );
      this.#register(wrapper);
      return outer;
    } finally {
      graph.delete();
    }
  }

  #register(definition: number): void {
    const { library, context } = this.#runtime;
    try {
      context.addFunction(definition);
    } finally {
      library.symbols.TF_DeleteFunction(definition);
    }
  }

  /** Whether this function does what another recording of the same operations needs. */
  fits(demand: Demand, { precision, compile }: StepMode): boolean {
    if (precision !== this.#mode.precision || compile !== this.#mode.compile) return false;
    if (demand.live.length !== this.#live.length) return false;
    for (let i = 0; i < this.#live.length; i++) if (demand.live[i]!.reference !== this.#live[i]) return false;
    for (const feed of demand.dying) if (!this.#dying.has(feed)) return false;
    return true;
  }

  /** Runs the step, in the background if it may: gives every live result its handle or variable. */
  run(recording: Recording, demand: Demand, background: boolean): void {
    const runtime = this.#runtime;
    const variables: [Variable, Value, Value][] = [];
    const inputs = recording.feeds.map((feed, i) => {
      const output = this.#replacedBy.get(i);
      if (this.#rounded.has(i)) return runtime.roundedHandleOf(feed);
      if (output === undefined) return runtime.handleOf(feed);
      const dies = demand.dying.has(i);
      const variable =
        dies && feed.source instanceof Variable ? feed.source : new Variable(runtime, feed, dies);
      if (dies) runtime.dropHandle(feed);
      variables.push([variable, demand.live[output]!, feed]);
      return variable.handle;
    });
    const { context } = runtime;
    const outputs = this.#returned.length;
    // The first run compiles, and has to tell at once if it cannot.
    const handles =
      background && this.runs > 0
        ? context.executeLater(this.#name, this.#attributes, inputs, outputs, variables.length > 0)
        : context.executeHandles(this.#name, this.#attributes, inputs, outputs);
    this.runs++;
    this.#returned.forEach((i, k) => {
      const value = demand.live[i]!;
      value.handle = handles[k]!;
      value.source = undefined;
      runtime.stepResults.add(value);
    });
    runtime.handles += handles.length;
    for (const [variable, value, feed] of variables) {
      value.source = variable;
      if (feed.source === variable) feed.source = undefined;
    }
  }
}
