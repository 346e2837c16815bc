import type { Attribute } from '../recording/attribute.js';
import {
  TF_BFLOAT16,
  TF_BOOL,
  TF_COMPLEX64,
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_UINT32,
  TF_UINT8,
  sizeOf,
  type TypedArray,
  type Values,
} from '../recording/data-types.js';
import type { Kernel, Operand } from '../recording/kernel.js';
import { kernelOperations } from '../recording/kernel-operations.js';
import type { Target } from '../recording/live-graph.js';
import type { Node, RecordedGraph } from '../recording/platform.js';
import { NotRecorded, type Precision } from '../recording/recorder-setting.js';
import { CONSTANT, type Input } from '../recording/trie.js';
import type { BufferType } from './client.js';
import { translate } from './translate.js';

/** A value of a program: its shape is always known. */
export interface Term extends Node {
  readonly shape: number[];
}

/** What is rounded how in a program. */
export interface Arithmetic {
  readonly precision: Precision;
  /** Whether float32 products may be rounded to TF32 where the device has it. */
  readonly tf32: boolean;
}

const types: Readonly<Record<number, BufferType>> = {
  [TF_FLOAT]: 'f32',
  [TF_INT32]: 'i32',
  [TF_UINT32]: 'ui32',
  [TF_INT64]: 'i64',
  [TF_BOOL]: 'i1',
  [TF_UINT8]: 'ui8',
  [TF_BFLOAT16]: 'bf16',
  [TF_COMPLEX64]: 'c64',
};

/** The device's element type for one of TensorFlow's; throws NotRecorded if it has none. */
export function bufferType(dtype: number): BufferType {
  const type = types[dtype];
  if (type === undefined) throw new NotRecorded(`elements of TensorFlow type ${dtype} stay on the host`);
  return type;
}

/** A tensor's type in StableHLO, as `tensor<2x3xf32>`. */
export function typeText(dtype: number, shape: readonly number[]): string {
  const type = bufferType(dtype);
  return `tensor<${shape.map((size) => `${size}x`).join('')}${type === 'c64' ? 'complex<f32>' : type}>`;
}

export const typeOf = ({ dtype, shape }: Term): string => typeText(dtype, shape);

/**
 * A program in StableHLO's text, written operation by operation. TensorFlow's operations are translated as they are added; what
 * cannot be is NotRecorded. Constants are written where they are first used as operands: many are only shapes and axes.
 */
export class Program implements Target, RecordedGraph {
  readonly isEmpty = true;
  scope = '';
  readonly arithmetic: Arithmetic;
  readonly #lines: string[] | undefined;
  readonly #feeds: Term[] = [];
  #next = 0;
  /** Values of constants by number. */
  readonly #constants = new Map<number, { values: TypedArray; written: boolean }>();
  readonly #known = new Map<string, Term>();
  readonly #operations = kernelOperations({
    add: (name, attributes, inputs, outputs) => this.add(name, attributes, inputs, outputs),
    constant: (dtype, shape, values) => this.constant(dtype, shape, values),
    sumsAsProducts: false,
  });

  /** Without `isWritten` it only tells the types and shapes of results. */
  constructor(isWritten: boolean, arithmetic: Arithmetic) {
    this.#lines = isWritten ? [] : undefined;
    this.arithmetic = arithmetic;
  }

  placeholder(dtype: number, shape: readonly number[]): Term {
    bufferType(dtype);
    const term = this.#term(dtype, shape);
    this.#feeds.push(term);
    return term;
  }

  leaf({ reference, dtype, shape, values }: Input): Term {
    return reference === CONSTANT ? this.constant(dtype, shape, values!) : this.#feeds[-reference - 1]!;
  }

  constant(dtype: number, shape: readonly number[], values: Values): Term {
    bufferType(dtype);
    const array = values as TypedArray;
    const key =
      array.length <= 16
        ? `${dtype} ${shape.join()} ${Array.from(array as Float32Array, bits).join()}`
        : undefined;
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const term = this.#term(dtype, shape);
    this.#constants.set(term.oper, { values: array, written: false });
    if (key !== undefined) this.#known.set(key, term);
    return term;
  }

  add(name: string, attributes: readonly Attribute[], inputs: readonly Node[], outputs: number): Term[] {
    const results = translate(this, name, inputs as Term[], attributes);
    if (results.length < outputs)
      throw new NotRecorded(`${name} has ${results.length} results, not ${outputs}`);
    return results.slice(0, outputs);
  }

  addKernel(kernel: Kernel, inputs: readonly Node[], attributes: readonly Attribute[]): Term[] {
    return kernel.build(this.#operations, inputs as readonly Operand[], attributes) as unknown as Term[];
  }

  delete(): void {
    // Nothing outside of JavaScript belongs to it.
  }

  /** The values of a constant, as of axes; throws NotRecorded for anything else. */
  valuesOf(term: Term): number[] {
    const constant = this.#constants.get(term.oper);
    if (constant === undefined)
      throw new NotRecorded('shapes, axes and bounds have to be known when it is compiled');
    return Array.from(constant.values, Number);
  }

  /** Whether a term is a constant. */
  isConstant(term: Term): boolean {
    return this.#constants.has(term.oper);
  }

  /** The name of an operand. */
  ref(term: Term): string {
    const constant = this.#constants.get(term.oper);
    if (constant?.written === false) {
      constant.written = true;
      this.#lines?.push(
        `%${term.oper} = stablehlo.constant ${literal(term, constant.values)} : ${typeOf(term)}`,
      );
    }
    return `%${term.oper}`;
  }

  #term(dtype: number, shape: readonly number[]): Term {
    return { oper: this.#next++, index: 0, dtype, shape: [...shape] };
  }

  /** Writes an operation whose text is what follows `=`; its result. */
  write(dtype: number, shape: readonly number[], text: string): Term {
    const term = this.#term(dtype, shape);
    this.#lines?.push(`%${term.oper} = ${text}`);
    return term;
  }

  /** The same with several results. */
  writeAll(results: readonly Pick<Term, 'dtype' | 'shape'>[], text: string): Term[] {
    const terms = results.map(({ dtype, shape }) => this.#term(dtype, shape));
    this.#lines?.push(`${terms.map(({ oper }) => `%${oper}`).join(', ')} = ${text}`);
    return terms;
  }

  /** The whole program; `aliases` are the feeds whose memory a result may take over, with its place. */
  text(results: readonly Node[], aliases: ReadonlyMap<number, number>): string {
    const inputs = this.#feeds.map((feed, i) => {
      const output = aliases.get(i);
      const alias = output === undefined ? '' : ` {tf.aliasing_output = ${output} : i32}`;
      return `%${feed.oper}: ${typeOf(feed)}${alias}`;
    });
    const names = results.map((result) => this.ref(result as Term)).join(', ');
    const outputTypes = results.map((result) => typeOf(result as Term)).join(', ');
    return [
      'module @step {',
      `func.func @main(${inputs.join(', ')}) -> (${outputTypes}) {`,
      ...this.#lines!,
      `return ${names} : ${outputTypes}`,
      '}',
      '}',
    ].join('\n');
  }
}

/** A number such that different bits give different ones. */
const bits = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/** A constant's values in the program's text. */
function literal({ dtype, shape }: Term, values: TypedArray): string {
  const size = sizeOf(shape);
  if (size === 0) return 'dense<>';
  const first = values[0]!;
  if (size === 1 || Array.prototype.every.call(values, (value) => Object.is(value, first)))
    return `dense<${scalar(dtype, first)}>`;
  if (dtype === TF_BOOL)
    return `dense<${nested(
      Array.from(values as Uint8Array, (value) => scalar(dtype, value)),
      shape,
    )}>`;
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex').toUpperCase();
  return `dense<"0x${raw}">`;
}

function scalar(dtype: number, value: number | bigint): string {
  if (dtype === TF_BOOL) return Number(value) === 0 ? 'false' : 'true';
  if (dtype !== TF_FLOAT) return String(value);
  const [word] = new Uint32Array(Float32Array.of(Number(value)).buffer);
  return `0x${word!.toString(16).toUpperCase().padStart(8, '0')}`;
}

function nested(texts: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return texts[0]!;
  const rows = shape[0]!;
  const each = texts.length / rows;
  return `[${Array.from({ length: rows }, (_, i) => nested(texts.slice(i * each, (i + 1) * each), shape.slice(1))).join(', ')}]`;
}
