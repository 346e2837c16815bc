import type { Attribute } from './attribute.js';
import { TF_INT32, type Values } from './data-types.js';
import type { Kernel } from './kernel.js';
import type { Node, RecordedGraph } from './platform.js';
import type { Recording } from './recording.js';
import { nonzeroRows, paddedRows, rowRule, sameRows, slicedRows, type Rows } from './rows.js';
import { CONSTANT, sameShape, type Entry, type Input } from './trie.js';

/** The part of a graph that computes what lives on of a recording. */
export interface LiveGraph {
  readonly operations: readonly number[];
  readonly results: readonly Node[];
}

/** Where operations are written. */
export interface Target {
  /** Whether nothing of what was recorded can stay where it is. */
  readonly isEmpty: boolean;
  add(name: string, attributes: readonly Attribute[], inputs: readonly Node[], outputs: number): Node[];
  addKernel(kernel: Kernel, inputs: readonly Node[], attributes: readonly Attribute[]): Node[];
  constant(dtype: number, shape: readonly number[], values: Values): Node;
  /** A value from outside, or a constant. */
  leaf(input: Input): Node;
}

/** The graph that was recorded into: what is computed whole stays as it is. */
function recordedGraph(graph: RecordedGraph): Target {
  return {
    isEmpty: false,
    add: (name, attributes, inputs, outputs) => graph.add(name, attributes, inputs, outputs),
    addKernel: (kernel, inputs, attributes) => graph.addKernel(kernel, inputs, attributes),
    constant: (dtype, shape, values) => graph.constant(dtype, shape, values),
    leaf: ({ node }) => node,
  };
}

/** A recorded operation, the number of its first result, and the rows it is computed for if not for all. */
interface Traced {
  readonly entry: Entry;
  readonly first: number;
  rows: Rows | undefined;
  needed: boolean;
}

/**
 * Cuts out of a recording what its live results need, and no rows that nobody reads: a classifier that looks at the first
 * token needs of its last layer, but for keys and values, only the row of that token, and the gradient is zero in the others.
 * Where rows are left out operations are written anew, under names that start with `name`.
 */
export function liveGraph(
  graph: RecordedGraph,
  name: string,
  recording: Recording,
  live: readonly number[],
): LiveGraph {
  graph.scope = name;
  return writeLive(recordedGraph(graph), recording, live);
}

/** The same in another place. */
export function writeLive(target: Target, recording: Recording, live: readonly number[]): LiveGraph {
  const liveness = new Liveness(recording);
  for (const reference of live) liveness.readAll(reference);
  liveness.trace();
  const writer = new Writer(target, liveness);
  for (const traced of liveness.traced) if (traced.needed) writer.write(traced);
  return { results: live.map((reference) => writer.whole(reference)), operations: writer.operations };
}

/** Which results, and which of their rows, are read. */
class Liveness {
  readonly traced: readonly Traced[];
  readonly #shapes: (readonly number[])[] = [];
  /** By result: outside of these rows it is zero. */
  readonly nonzero: (Rows | undefined)[] = [];
  /** By result: whether all of it is computed. */
  readonly whole: boolean[] = [];
  /** By result: the rows that are computed, if not all of it. */
  readonly rows: (Rows | undefined)[] = [];

  constructor(recording: Recording) {
    let first = 0;
    this.traced = recording.operations.map(({ entry }) => {
      const traced: Traced = { entry, first, rows: undefined, needed: false };
      const rows = nonzeroRows(
        entry,
        entry.inputs.map(({ reference }) => this.nonzero[reference]),
      );
      const outputs = rows === undefined ? [] : (entry.kernel?.rows?.outputs ?? [rows.axis]);
      outputs.forEach((axis, i) => {
        if (axis !== undefined) this.nonzero[first + i] = rows;
      });
      for (const { shape } of entry.outputs) this.#shapes.push(shape!);
      first += entry.outputs.length;
      return traced;
    });
  }

  shapeOf(result: number): readonly number[] {
    return this.#shapes[result]!;
  }

  readAll(reference: number): void {
    const nonzero = this.nonzero[reference];
    if (nonzero !== undefined) this.rows[reference] = nonzero;
    else this.whole[reference] = true;
  }

  readRows(reference: number, rows: Rows): void {
    const known = this.rows[reference];
    if (this.nonzero[reference] !== undefined) this.readAll(reference);
    else if (known === undefined) this.rows[reference] = rows;
    else if (!sameRows(known, rows)) this.whole[reference] = true;
  }

  /** From the last operation to the first: what is read of an operation's results says what it reads itself. */
  trace(): void {
    for (const traced of this.traced.toReversed()) this.#trace(traced);
  }

  #trace(traced: Traced): void {
    const { entry, first } = traced;
    const read = entry.outputs.map((_, i) => first + i).filter((n) => this.whole[n] ?? this.rows[n]);
    if (read.length === 0) return;
    traced.needed = true;
    if (paddedRows(entry) !== undefined) {
      this.#readInputs(entry, undefined);
      return;
    }
    traced.rows = this.#rowsOf(entry, read);
    if (traced.rows !== undefined) {
      this.#readInputs(entry, traced.rows);
      return;
    }
    for (const n of read) this.whole[n] = true;
    const sliced = slicedRows(entry);
    if (sliced === undefined) this.#readInputs(entry, undefined);
    else if (entry.inputs[0]!.reference >= 0) this.readRows(entry.inputs[0]!.reference, sliced);
  }

  /** The rows that an operation has to be computed for if they are not all. */
  #rowsOf(entry: Entry, read: readonly number[]): Rows | undefined {
    const gradient = entry.kernel?.rows?.gradient;
    const nonzero = gradient === undefined ? undefined : this.nonzero[entry.inputs[gradient]!.reference];
    if (nonzero !== undefined) return rowRule(entry, nonzero.axis) && nonzero;
    const rows = this.rows[read[0]!];
    const alike = read.every((n) => !this.whole[n] && rows && sameRows(this.rows[n]!, rows));
    const rule = alike ? rowRule(entry, rows!.axis) : undefined;
    return rule?.outputs.includes(undefined) === false ? rows : undefined;
  }

  #readInputs(entry: Entry, rows: Rows | undefined): void {
    const axes = rows && rowRule(entry, rows.axis)!.inputs;
    entry.inputs.forEach(({ reference }, i) => {
      if (reference < 0) return;
      if (axes?.[i] === undefined) this.readAll(reference);
      else this.readRows(reference, { ...rows!, axis: axes[i] });
    });
  }
}

/** Writes the operations that are needed, for the rows that are read. */
class Writer {
  readonly #target: Target;
  readonly #liveness: Liveness;
  readonly #operations = new Set<number>();
  /** By result: all of it, or its rows. */
  readonly #whole: Node[] = [];
  readonly #rows: Node[] = [];

  constructor(target: Target, liveness: Liveness) {
    this.#target = target;
    this.#liveness = liveness;
  }

  get operations(): readonly number[] {
    return [...this.#operations];
  }

  write({ entry, first, rows }: Traced): void {
    if (paddedRows(entry) !== undefined) {
      this.#rows[first] = this.#input(entry.inputs[0]!);
      return;
    }
    const sliced = rows === undefined ? slicedRows(entry) : undefined;
    if (sliced !== undefined && entry.inputs[0]!.reference >= 0) {
      this.#whole[first] = this.#rowsOf(entry.inputs[0]!, sliced);
      return;
    }
    const rule = rows && rowRule(entry, rows.axis);
    const inputs = entry.inputs.map((input, i) => {
      const axis = rule?.inputs[i];
      return axis === undefined ? this.#input(input) : this.#rowsOf(input, { ...rows!, axis });
    });
    const changed = this.#target.isEmpty || inputs.some((node, i) => node !== entry.inputs[i]!.node);
    const outputs = changed ? this.#writeAnew(entry, inputs) : entry.outputs;
    if (!changed) for (const operation of entry.operations) this.#operations.add(operation);
    outputs.forEach((node, i) => {
      if (rule?.outputs[i] === undefined) this.#whole[first + i] = node;
      else this.#rows[first + i] = node;
    });
  }

  #writeAnew(
    { name, kernel, attributes, inputs: recorded, outputs }: Entry,
    inputs: readonly Node[],
  ): Node[] {
    // To the shape it has, which need not be that of all rows.
    if (name === 'Reshape' && sameShape(recorded[0]!.shape, outputs[0]!.shape!)) return [inputs[0]!];
    for (const { reference, node } of recorded) if (reference === CONSTANT) this.#operations.add(node.oper);
    return this.#keep(
      kernel === undefined
        ? this.#target.add(name, attributes, inputs, outputs.length)
        : this.#target.addKernel(kernel, inputs, attributes),
    );
  }

  #keep(nodes: Node[]): Node[] {
    this.#operations.add(nodes[0]!.oper);
    return nodes;
  }

  #integers(values: readonly number[], shape: readonly number[]): Node {
    return this.#keep([this.#target.constant(TF_INT32, shape, Int32Array.from(values))])[0]!;
  }

  /** All of a result; what is zero but for some rows is filled up. */
  whole(reference: number): Node {
    return (this.#whole[reference] ??= this.#fillUp(
      this.#rows[reference]!,
      this.#liveness.nonzero[reference]!,
      this.#liveness.shapeOf(reference),
    ));
  }

  #fillUp(node: Node, { axis, start, size }: Rows, shape: readonly number[]): Node {
    const paddings = shape.flatMap((length, i) => (i === axis ? [start, length - start - size] : [0, 0]));
    const inputs = [node, this.#integers(paddings, [shape.length, 2])];
    return this.#keep(this.#target.add('Pad', [], inputs, 1))[0]!;
  }

  #input(input: Input): Node {
    return input.reference < 0 ? this.#target.leaf(input) : this.whole(input.reference);
  }

  /** Some rows of an input, which is computed for these rows only or as a whole. */
  #rowsOf(input: Input, rows: Rows): Node {
    const { reference, shape } = input;
    const computed = reference < 0 ? undefined : this.#rows[reference];
    if (computed !== undefined && sameRows(this.#liveness.rows[reference]!, rows)) return computed;
    const begin = shape.map((_, i) => (i === rows.axis ? rows.start : 0));
    const size = shape.map((length, i) => (i === rows.axis ? rows.size : length));
    const bounds = [begin, size].map((values) => this.#integers(values, [shape.length]));
    return this.#keep(this.#target.add('Slice', [], [this.#input(input), ...bounds], 1))[0]!;
  }
}
