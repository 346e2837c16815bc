import {
  TF_ATTR_BOOL,
  TF_ATTR_FUNC,
  TF_ATTR_TYPE,
  TF_BFLOAT16,
  TF_RESOURCE,
  sizeOf,
} from '../recording/data-types.js';
import type { Runtime } from '../libtensorflow/values.js';
import type { Node } from '../recording/platform.js';
import { Graph } from './graph.js';
import type { Pair } from '../recording/pairing.js';
import { partition, type Unit } from './partition.js';
import { PieceBody } from './piece.js';
import { roundedFeeds } from './rounded-feeds.js';
import { keyOf, type Sheet } from './sheet.js';

/** What is not worth a compiled function of its own. */
const TRIVIAL = new Set(['Cast', 'Reshape']);

/** So few operations on so few elements take no longer than the start of a compiled function, and need no compiling. */
const FEW_OPERATIONS = 24;
const FEW_ELEMENTS = 2 ** 14;

const isSmall = ({ shape }: Node): boolean => sizeOf(shape!) <= FEW_ELEMENTS;

/** Whether the operations of a unit run as they are. Those that only XLA has cannot. */
const isOperation = ({ lines }: Unit): boolean =>
  lines[0]!.kind === 'product' ||
  lines.every(({ name }) => TRIVIAL.has(name)) ||
  (lines.length <= FEW_OPERATIONS &&
    lines.every(
      ({ name, inputs, outputs }) => !name.startsWith('Xla') && [...inputs, ...outputs].every(isSmall),
    ));

/**
 * Writes a step as a function that is not compiled as a whole: its products are operations of TensorFlow, which run in
 * oneDNN, and what lies between them are functions that XLA compiles, one for all pieces that are equal. State is overwritten
 * in place by the piece that computes what replaces it. Returns the function, which the caller registers and deletes, and the places
 * of the feeds that it takes rounded to bfloat16, some of those that are `lasting`.
 */
export function writeHybrid(
  runtime: Runtime,
  sheet: Sheet,
  name: string,
  feeds: readonly Node[],
  results: readonly Node[],
  pairs: readonly Pair[],
  lasting: readonly number[],
): { readonly definition: number; readonly rounded: ReadonlySet<number> } {
  const writer = new HybridWriter(runtime, sheet, feeds, results, pairs, lasting);
  try {
    return { definition: writer.write(name), rounded: writer.rounded };
  } finally {
    writer.delete();
  }
}

/** A use of a variable's value: the operation, and the stage of its unit. */
interface Use {
  readonly oper: number;
  readonly stage: number;
}

class HybridWriter {
  readonly #runtime: Runtime;
  readonly #sheet: Sheet;
  readonly #results: readonly Node[];
  readonly #pairs: readonly Pair[];
  readonly #graph: Graph;
  readonly #units: readonly Unit[];
  /** What of each unit is needed elsewhere. */
  readonly #needed: Set<string>;
  /** Inputs of the function, in the order of the feeds: values, or variables. */
  readonly #inputs: Node[];
  /** By feed that is a variable. */
  readonly #variables = new Map<
    number,
    { readonly handle: Node; read: Node | undefined; readonly uses: Use[] }
  >();
  /** By `keyOf` of the sheet's node. */
  readonly #places = new Map<string, Node>();
  /** Pairs by the unit that computes the result. */
  readonly #updates = new Map<Unit, Pair[]>();
  readonly #effects: number[] = [];
  /** Places of feeds that come rounded to bfloat16. */
  readonly rounded: ReadonlySet<number>;

  constructor(
    runtime: Runtime,
    sheet: Sheet,
    feeds: readonly Node[],
    results: readonly Node[],
    pairs: readonly Pair[],
    lasting: readonly number[],
  ) {
    this.#runtime = runtime;
    this.#sheet = sheet;
    this.#results = results;
    this.#pairs = pairs;
    this.#graph = new Graph(runtime.context);
    const { units, crossing } = partition(sheet, results);
    this.#units = units;
    const replacing = new Set(pairs.map(({ output }) => output));
    this.#needed = new Set([...crossing, ...results.filter((_, i) => !replacing.has(i)).map(keyOf)]);
    const state = new Set(pairs.map(({ feed }) => feed));
    const rounded = roundedFeeds(
      sheet,
      units,
      results,
      lasting.filter((place) => !state.has(place)),
    );
    this.rounded = new Set(rounded.keys());
    this.#inputs = feeds.map(({ dtype, shape }, i) => {
      if (!state.has(i)) {
        const value = this.#graph.placeholder(rounded.has(i) ? TF_BFLOAT16 : dtype, shape!);
        this.#places.set(keyOf(rounded.get(i) ?? sheet.feed(i)), value);
        return value;
      }
      const handle = this.#graph.placeholder(TF_RESOURCE, []);
      this.#variables.set(i, { handle, read: undefined, uses: [] });
      return handle;
    });
    this.#assignUpdates();
    this.#readVariables();
  }

  delete(): void {
    this.#graph.delete();
  }

  write(name: string): number {
    for (const unit of this.#units) {
      // What comes rounded already.
      if (this.#places.has(keyOf(unit.lines[0]!.outputs[0]!))) continue;
      if (isOperation(unit)) this.#writeOperations(unit);
      else this.#writePiece(unit);
    }
    const returned = new Set(this.#pairs.map(({ output }) => output));
    const outputs = this.#results
      .filter((_, i) => !returned.has(i))
      .map((node) => this.#value(node, Infinity));
    this.#assignRest();
    return this.#graph.cut(name, null, this.#inputs, outputs, this.#effects);
  }

  /** Finds the compiled unit that overwrites a variable. */
  #assignUpdates(): void {
    const unitOf = new Map<number, Unit>();
    for (const unit of this.#units) for (const { number } of unit.lines) unitOf.set(number, unit);
    for (const pair of this.#pairs) {
      const unit = unitOf.get(this.#sheet.lineOf(this.#results[pair.output]!).number);
      if (unit === undefined || isOperation(unit)) continue;
      const updates = this.#updates.get(unit);
      if (updates === undefined) this.#updates.set(unit, [pair]);
      else updates.push(pair);
    }
  }

  /** Reads the variables that anything but the piece which overwrites them needs, before any of that runs. */
  #readVariables(): void {
    const places = new Map([...this.#variables.keys()].map((i) => [keyOf(this.#sheet.feed(i)), i] as const));
    const read = (node: Node): void => {
      const variable = this.#variables.get(places.get(keyOf(node)) ?? -1);
      if (variable === undefined || variable.read !== undefined) return;
      const type = { name: 'dtype', type: TF_ATTR_TYPE, value: node.dtype };
      [variable.read] = this.#graph.add('ReadVariableOp', [type], [variable.handle], 1);
      this.#places.set(keyOf(node), variable.read!);
    };
    for (const unit of this.#units) {
      const own = new Set(this.#updates.get(unit)?.map(({ feed }) => keyOf(this.#sheet.feed(feed))));
      for (const line of unit.lines) for (const input of line.inputs) if (!own.has(keyOf(input))) read(input);
    }
    this.#results.forEach((node) => {
      read(node);
    });
  }

  /** The place of a value of the sheet, for a unit of this stage. */
  #value(node: Node, stage: number, use?: (of: Use[]) => void): Node {
    const key = keyOf(node);
    let place = this.#places.get(key);
    if (place === undefined) {
      const line = this.#sheet.lineOf(node);
      place =
        line.kind === 'constant'
          ? this.#graph.constant(node.dtype, node.shape!, line.values!)
          : this.#graph.add(line.name, line.attributes, [this.#value(line.inputs[0]!, stage)], 1)[0]!;
      this.#places.set(key, place);
    }
    for (const variable of this.#variables.values()) if (variable.read === place) use?.(variable.uses);
    return place;
  }

  /** Values for the inputs of an operation that is added right afterwards, and what to do then. */
  #values(nodes: readonly Node[], stage: number): { values: Node[]; added: (oper: number) => void } {
    const uses: Use[][] = [];
    const values = nodes.map((node) => this.#value(node, stage, (of) => uses.push(of)));
    return {
      values,
      added: (oper) => {
        for (const of of uses) of.push({ oper, stage });
      },
    };
  }

  #writeOperations({ lines, stage }: Unit): void {
    for (const line of lines) {
      const { values, added } = this.#values(line.inputs, stage);
      const outputs = this.#graph.add(line.name, line.attributes, values, line.outputs.length);
      added(outputs[0]!.oper);
      line.outputs.forEach((node, i) => this.#places.set(keyOf(node), outputs[i]!));
    }
  }

  #writePiece(unit: Unit): void {
    const updates = this.#updates.get(unit) ?? [];
    const body = new PieceBody(this.#sheet, unit, (node) => this.#needed.has(keyOf(node)), [
      ...updates.map(({ output }) => this.#results[output]!),
    ]);
    const own = new Map(updates.map(({ feed }) => [keyOf(this.#sheet.feed(feed)), feed]));
    // Variables that the piece overwrites go in as such, whether it reads them or not.
    const extra = [...own].filter(([key]) => !body.inputs.some((input) => keyOf(input) === key));
    const given = [...body.inputs, ...extra.map(([, feed]) => this.#sheet.feed(feed))];
    const isOwn = given.map((node) => own.get(keyOf(node)));
    const plain = given.filter((_, i) => isOwn[i] === undefined);
    const { values, added } = this.#values(plain, unit.stage);
    const inputs = isOwn.map((feed) =>
      feed === undefined ? values.shift()! : this.#variables.get(feed)!.handle,
    );
    const assignments = updates.map(({ feed, output }) => ({
      input: given.findIndex((node) => keyOf(node) === keyOf(this.#sheet.feed(feed))),
      output: body.outputs.findIndex((node) => keyOf(node) === keyOf(this.#results[output]!)),
    }));
    const returned = body.outputs.flatMap((node, i) => (this.#needed.has(keyOf(node)) ? [i] : []));
    const called =
      updates.length === 0
        ? body.register(this.#runtime)
        : body.registerInPlace(this.#runtime, given.length, assignments, returned);
    const outputs = returned.map((i) => body.outputs[i]!);
    const attributes = [
      { name: 'Tin', type: TF_ATTR_TYPE, value: inputs.map(({ dtype }) => dtype) },
      { name: 'Tout', type: TF_ATTR_TYPE, value: outputs.map(({ dtype }) => dtype) },
      { name: 'f', type: TF_ATTR_FUNC, value: called },
      { name: '_XlaMustCompile', type: TF_ATTR_BOOL, value: true },
    ];
    const before = updates.flatMap(({ feed }) => this.#usesBefore(feed, unit.stage));
    const operation = updates.length === 0 ? 'PartitionedCall' : 'StatefulPartitionedCall';
    const oper = this.#graph.addEffect(operation, attributes, inputs, [...new Set(before)]);
    added(oper);
    if (updates.length > 0) this.#effects.push(oper);
    outputs.forEach((node, index) => this.#places.set(keyOf(node), { ...node, oper, index }));
  }

  /** What has to run before a variable is overwritten: those that read it, or the reading where that would be a circle. */
  #usesBefore(feed: number, stage: number): number[] {
    const { read, uses } = this.#variables.get(feed)!;
    if (read === undefined) return [];
    return [read.oper, ...uses.filter((use) => use.stage < stage).map(({ oper }) => oper)];
  }

  /** Overwrites the variables that no compiled piece does. */
  #assignRest(): void {
    const done = new Set([...this.#updates.values()].flat());
    for (const pair of this.#pairs) {
      if (done.has(pair)) continue;
      const { handle } = this.#variables.get(pair.feed)!;
      const value = this.#value(this.#results[pair.output]!, Infinity);
      const attributes = [
        { name: 'dtype', type: TF_ATTR_TYPE, value: value.dtype },
        { name: 'validate_shape', type: TF_ATTR_BOOL, value: false },
      ];
      this.#effects.push(
        this.#graph.addEffect(
          'AssignVariableOp',
          attributes,
          [handle, value],
          this.#usesBefore(pair.feed, Infinity),
        ),
      );
    }
  }
}
