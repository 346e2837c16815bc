import { sizeOf } from '../recording/data-types.js';
import type { Node } from '../recording/platform.js';
import { keyOf, type Line, type Sheet } from './sheet.js';

/** Operations that are compiled as one function, or one product. */
export interface Unit {
  readonly lines: readonly Line[];
  /** Grows from each unit to those that take something of it; halves are for products. */
  readonly stage: number;
}

/** A step in the order in which it runs. */
export interface Partition {
  readonly units: readonly Unit[];
  /** What one unit takes from another, by `keyOf`. */
  readonly crossing: ReadonlySet<string>;
}

/** Elements up to which a result is small: what is larger and comes of it begins a piece of its own. */
const SMALL = 64;

/** Elements up to which a piece is small enough to share a start with others. */
const BUNDLED = 4096;

/** Their results are written out anyway: what comes of a table's gradient is then the same piece for every length. */
const SCATTERS = new Set(['UnsortedSegmentSum', 'ScatterNd', 'TensorScatterAdd']);

/** The inputs of a line with what a widened product stands for in their place. */
export function* sources(sheet: Sheet, line: Line): Generator<Line> {
  for (const input of line.inputs) {
    const source = sheet.lineOf(input);
    yield source.kind === 'widened' ? sheet.lineOf(source.inputs[0]!) : source;
  }
}

/**
 * Cuts a step at its products. An operation belongs to the stage that its products leave it no earlier one than; one that
 * depends on no product, such as a draw, to the stage of its first use. Within a stage what is connected is one piece, so
 * that the pieces of equal layers are equal. Sums over everything, as clipping has them, and
 * scatters part pieces too.
 */
export function partition(sheet: Sheet, results: readonly Node[]): Partition {
  const live = liveLines(sheet, results);
  const stages = findStages(sheet, live);
  const sets = new DisjointSets(sheet.lines.length);
  const stageOf = (line: Line): number => stages[line.number]!;
  for (const line of live) {
    if (line.kind !== 'plain') continue;
    for (const source of sources(sheet, line))
      if (source.kind === 'plain' && stageOf(source) === stageOf(line)) sets.join(source.number, line.number);
  }
  const pieces = new Map<number, Unit & { readonly lines: Line[] }>();
  const products: Line[] = [];
  for (const line of live) {
    if (line.kind === 'product') products.push(line);
    if (line.kind !== 'plain') continue;
    const root = sets.rootOf(line.number);
    const piece = pieces.get(root);
    if (piece === undefined) pieces.set(root, { lines: [line], stage: stageOf(line) });
    else piece.lines.push(line);
  }
  const ended = products.map((line) => ({ lines: [line], stage: stageOf(line) + 0.5 }));
  const units = [...bundled([...pieces.values()]), ...ended].sort((a, b) => a.stage - b.stage);
  return { units, crossing: findCrossing(sheet, live, (line) => sets.rootOf(line.number)) };
}

/**
 * Of small pieces of a stage that look alike, as the updates of biases do, several are one: of n pieces the root of n,
 * which is compiled once and runs as often as there are such bundles.
 */
function bundled(pieces: readonly Unit[]): Unit[] {
  const alike = new Map<string, Unit[]>();
  for (const piece of pieces) {
    const { lines, stage } = piece;
    const isSmall = lines.every((line) => largest(line) <= BUNDLED);
    const look = isSmall
      ? lines.map(({ signature, outputs }) => [signature, outputs.map(({ shape }) => shape)])
      : lines[0]!.number;
    const key = JSON.stringify([stage, look]);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [piece]);
    else known.push(piece);
  }
  return [...alike.values()].flatMap((set) => {
    const size = Math.ceil(Math.sqrt(set.length));
    return Array.from({ length: Math.ceil(set.length / size) }, (_, i) => {
      const bundle = set.slice(i * size, (i + 1) * size);
      return { lines: bundle.flatMap(({ lines }) => lines), stage: set[0]!.stage };
    });
  });
}

/** The lines that a result depends on, in order. */
function liveLines(sheet: Sheet, results: readonly Node[]): Line[] {
  const live = new Set<Line>();
  const stack = results.map((result) => sheet.lineOf(result));
  while (stack.length > 0) {
    const line = stack.pop()!;
    if (live.has(line)) continue;
    live.add(line);
    for (const input of line.inputs) stack.push(sheet.lineOf(input));
  }
  return [...live].sort((a, b) => a.number - b.number);
}

const largest = (line: Line): number => Math.max(...line.outputs.map(({ shape }) => sizeOf(shape!)));

/** Whether a line begins a new stage after another that is plain as well. */
const parts = (source: Line, line: Line): boolean =>
  (largest(source) <= SMALL && largest(line) > SMALL) || SCATTERS.has(source.name);

/** By line number the stage; of a product that which it ends. */
function findStages(sheet: Sheet, live: readonly Line[]): number[] {
  const stages: number[] = [];
  const isFree: boolean[] = [];
  for (const line of live) {
    let stage = 0;
    let free = line.kind === 'plain';
    for (const source of sources(sheet, line)) {
      if (source.kind === 'feed' || source.kind === 'constant') continue;
      const before = stages[source.number]!;
      const step = source.kind === 'product' || (line.kind === 'plain' && parts(source, line)) ? 1 : 0;
      // A product of a product's result has no piece between.
      stage = Math.max(stage, before + step);
      free &&= isFree[source.number]!;
    }
    stages[line.number] = stage;
    isFree[line.number] = free;
  }
  // From the last to the first: what waits for no product waits for its first use.
  const latest: number[] = [];
  for (const line of live.toReversed()) {
    if (isFree[line.number] && latest[line.number] !== undefined)
      stages[line.number] = Math.max(stages[line.number]!, latest[line.number]!);
    const stage = stages[line.number]!;
    for (const source of sources(sheet, line)) {
      const limit = line.kind === 'plain' && parts(source, line) ? stage - 1 : stage;
      latest[source.number] = Math.min(latest[source.number] ?? Infinity, limit);
    }
  }
  return stages;
}

function findCrossing(sheet: Sheet, live: readonly Line[], rootOf: (line: Line) => number): Set<string> {
  const crossing = new Set<string>();
  for (const line of live) {
    for (const input of line.inputs) {
      const source = sheet.lineOf(input);
      if (line.kind === 'plain' && source.kind === 'plain' && rootOf(source) === rootOf(line)) continue;
      crossing.add(keyOf(input));
    }
  }
  return crossing;
}

/** Which numbers belong together. */
class DisjointSets {
  readonly #parents: Int32Array;

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, i) => i);
  }

  rootOf(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) root = this.#parents[root]!;
    for (let at = member; at !== root;) {
      const next = this.#parents[at]!;
      this.#parents[at] = root;
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    this.#parents[this.rootOf(b)] = this.rootOf(a);
  }
}
