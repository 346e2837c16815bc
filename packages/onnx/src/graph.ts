import { encodeElements } from '@hypetune/safetensors';

/** The name of a tensor in a graph. */
export type Value = string;

/** The types of elements that are written, by the numbers that ONNX gives them. */
export const ELEMENT_TYPES = { float: 1, int8: 3, int64: 7, float16: 10 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** A constant of a graph: its elements as the little-endian bytes that the format wants. */
export interface Constant {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** Integers, lists of them, and numbers with a point: `{ float }`. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** An operation of the default domain. */
export interface Node {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An ONNX graph while it is written. Nodes stand in the order of the calls, so every value is made before it is read. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly constants = new Map<Value, Constant>();
  private readonly made = new Map<string, unknown>();
  private readonly counts = new Map<string, number>();
  private scope = '';

  /** `float` is the type that hidden states have. */
  constructor(readonly float: 'float' | 'float16') {}

  /** Names of what `write` adds begin with `scope/`. */
  within<T>(scope: string, write: () => T): T {
    const outer = this.scope;
    this.scope = `${scope}/`;
    try {
      return write();
    } finally {
      this.scope = outer;
    }
  }

  /** Adds an operation with one output; an empty input is one that is left out. */
  add(op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.addAll(op, inputs, 1, attributes)[0]!;
  }

  /** Adds an operation with several outputs. */
  addAll(
    op: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): Value[] {
    const name = this.fresh(op);
    const values = outputs === 1 ? [name] : Array.from({ length: outputs }, (_, i) => `${name}.${i}`);
    this.nodes.push({ op, name, inputs, outputs: values, attributes });
    return values;
  }

  /** What `make` returned the first time: what several layers read is computed once. */
  once<T extends Value | readonly Value[]>(key: string, make: () => T): T {
    const known = (this.made.get(key) as T | undefined) ?? make();
    this.made.set(key, known);
    return known;
  }

  /** A named constant; the same name is the same constant. */
  constant(name: Value, make: () => Constant): Value {
    if (!this.constants.has(name)) this.constants.set(name, make());
    return name;
  }

  /** Floating-point numbers of the type that hidden states have, or of `type`. */
  floats(values: Float32Array, dims: readonly number[], type: 'float' | 'float16' = this.float): Constant {
    return { type, dims, bytes: encodeElements(values, type === 'float' ? 'F32' : 'F16') };
  }

  /** A number of the type that hidden states have, or of `type`. */
  number(value: number, type: 'float' | 'float16' = this.float): Value {
    return this.constant(`${type}:${value}`, () => this.floats(Float32Array.of(value), [], type));
  }

  /** A list of integers, as shapes and axes are given. */
  list(...values: readonly number[]): Value {
    return this.constant(`int64:[${values.join()}]`, () => integers(values, [values.length]));
  }

  /** One integer. */
  integer(value: number): Value {
    return this.constant(`int64:${value}`, () => integers([value], []));
  }

  cast(x: Value, type: ElementType): Value {
    return this.add('Cast', [x], { to: ELEMENT_TYPES[type] });
  }

  /** `compute` in float32 whatever the type of hidden states: for sums that float16 cannot hold. */
  inFloat32(x: Value, compute: (x: Value) => Value): Value {
    return this.float === 'float' ? compute(x) : this.cast(compute(this.cast(x, 'float')), 'float16');
  }

  reshape(x: Value, ...dims: readonly number[]): Value {
    return this.add('Reshape', [x, this.list(...dims)]);
  }

  transpose(x: Value, ...perm: readonly number[]): Value {
    return this.add('Transpose', [x], { perm });
  }

  /** `x` from `begin` to before `end` along an axis; each a list of one integer. */
  slice(x: Value, begin: Value, end: Value, axis: number): Value {
    return this.add('Slice', [x, begin, end, this.list(axis)]);
  }

  private fresh(op: string): Value {
    const stem = `${this.scope}${op}`;
    const count = this.counts.get(stem) ?? 0;
    this.counts.set(stem, count + 1);
    return `${stem}_${count}`;
  }
}

/** Integers as a constant. */
export function integers(values: readonly number[], dims: readonly number[]): Constant {
  return { type: 'int64', dims, bytes: encodeElements(BigInt64Array.from(values, BigInt), 'I64') };
}
