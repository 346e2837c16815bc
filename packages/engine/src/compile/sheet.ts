import type { Attribute } from '../recording/attribute.js';
import {
  TF_ATTR_BOOL,
  TF_ATTR_STRING,
  TF_ATTR_TYPE,
  TF_BFLOAT16,
  TF_FLOAT,
  TF_INT32,
  sizeOf,
  type TypedArray,
  type Values,
} from '../recording/data-types.js';
import type { Context } from '../libtensorflow/context.js';
import type { Output } from '../libtensorflow/symbols.js';
import { digest } from '../recording/digest.js';
import type { Node } from '../recording/platform.js';
import { Graph } from './graph.js';
import { kernelOperations } from '../recording/kernel-operations.js';
import type { Kernel, Operand } from '../recording/kernel.js';
import type { Target } from '../recording/live-graph.js';
import type { StepMode } from '../recording/recorder-setting.js';
import { CONSTANT, sameShape, type Input } from '../recording/trie.js';

/**
 * - `feed`: a value from outside the step.
 * - `constant`: known when the step is compiled.
 * - `product`: of matrices.
 * - `widened`: a result in bfloat16 as float32.
 * - `plain`: anything else.
 */
export type LineKind = 'feed' | 'constant' | 'product' | 'widened' | 'plain';

/** One operation of a step, with what is needed to write it elsewhere. */
export interface Line {
  readonly number: number;
  readonly kind: LineKind;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  /** The same for what computes the same from the same inputs. */
  readonly signature: string;
  /** Of a constant. */
  readonly values: Values | undefined;
}

/** Whether products are operations of TensorFlow between what is compiled, or, in bfloat16 alone, are compiled with it. */
export type ProductStyle = 'operations' | 'compiled';

/** Multiplications in a product from which on it is worth an operation of its own. */
const SMALLEST_PRODUCT = 2 ** 17;

export const keyOf = ({ oper, index }: Output): string => `${oper}:${index}`;

/**
 * A step written down operation by operation, kernels too, nothing twice. In bfloat16 the operands of products are rounded to
 * it; results of operations of TensorFlow come rounded to it and are widened again, those that XLA computes are float32.
 */
export class Sheet implements Target {
  readonly isEmpty = true;
  readonly graph: Graph;
  readonly lines: Line[] = [];
  /** Over all products the sum of their multiplications, and of the squares. */
  #multiplications = 0;
  #squares = 0;
  readonly #byOper = new Map<number, Line>();
  readonly #known = new Map<string, Line>();
  readonly #feeds: readonly Node[];
  readonly #mode: StepMode;
  readonly #style: ProductStyle;
  readonly #operations = kernelOperations({
    add: (name, attributes, inputs, outputs) => this.add(name, attributes, inputs, outputs),
    constant: (dtype, shape, values) => this.constant(dtype, shape, values),
    sumsAsProducts: true,
  });

  /** `feeds` are the types and shapes of the values from outside. */
  constructor(context: Context, feeds: readonly Node[], mode: StepMode, style: ProductStyle = 'operations') {
    this.#mode = mode;
    this.#style = style;
    this.graph = new Graph(context);
    this.#feeds = feeds.map(({ dtype, shape }) => {
      const node = this.graph.placeholder(dtype, shape!);
      return this.#line('feed', 'Placeholder', [], [], [node], `${node.oper}`).outputs[0]!;
    });
  }

  /** How many multiplications the product has that a multiplication is in, in the mean. */
  get productSize(): number {
    return this.#squares / Math.max(this.#multiplications, 1);
  }

  feed(place: number): Node {
    return this.#feeds[place]!;
  }

  lineOf({ oper }: Output): Line {
    return this.#byOper.get(oper)!;
  }

  leaf({ reference, dtype, shape, values }: Input): Node {
    return reference === CONSTANT ? this.constant(dtype, shape, values!) : this.#feeds[-reference - 1]!;
  }

  constant(dtype: number, shape: readonly number[], values: Values): Node {
    const signature = `Const ${dtype} ${shape.join()} ${digest(Array.from(values as TypedArray, String))}`;
    const known = this.#known.get(signature);
    if (known !== undefined) return known.outputs[0]!;
    const node = this.graph.constant(dtype, shape, values);
    const line = this.#line('constant', 'Const', [], [], [node], signature, values);
    this.#known.set(signature, line);
    return node;
  }

  add(name: string, attributes: readonly Attribute[], inputs: readonly Node[], outputs: number): Node[] {
    // A wall against what the compiler would do.
    if (name === 'XlaOptimizationBarrier' && !this.#mode.compile) return [...inputs];
    const product = this.#productOf(name, attributes, inputs);
    if (product !== undefined) return [product];
    return [...this.#add('plain', name, attributes, inputs, outputs)];
  }

  addKernel(kernel: Kernel, inputs: readonly Node[], attributes: readonly Attribute[]): Node[] {
    return kernel.build(this.#operations, inputs as readonly Operand[], attributes) as Node[];
  }

  #add(
    kind: LineKind,
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Node[],
    outputs: number,
  ): readonly Node[] {
    const signature = `${name} ${JSON.stringify(attributes)}`;
    const key = `${signature} ${inputs.map(keyOf).join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known.outputs;
    const nodes = this.graph.add(name, attributes, inputs, outputs);
    const line = this.#line(kind, name, attributes, inputs, nodes, signature);
    this.#known.set(key, line);
    return nodes;
  }

  #line(
    kind: LineKind,
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Node[],
    outputs: readonly Node[],
    signature: string,
    values?: Values,
  ): Line {
    const number = this.lines.length;
    const line = { number, kind, name, attributes, inputs, outputs, signature, values };
    this.lines.push(line);
    this.#byOper.set(outputs[0]!.oper, line);
    return line;
  }

  /** The result of a product that is large enough to be one; undefined for any other operation. */
  #productOf(name: string, attributes: readonly Attribute[], inputs: readonly Node[]): Node | undefined {
    const isBatch = name === 'BatchMatMulV2';
    if ((name !== 'MatMul' && !isBatch) || inputs[0]!.dtype !== TF_FLOAT) return undefined;
    const [a, b] = inputs as [Node & { shape: number[] }, Node & { shape: number[] }];
    const flag = (flagName: string): boolean =>
      attributes.some((attribute) => attribute.name === flagName && attribute.value === true);
    let flags = isBatch ? [flag('adj_x'), flag('adj_y')] : [flag('transpose_a'), flag('transpose_b')];
    const depth = a.shape.at(flags[0] ? -2 : -1)!;
    const columns = b.shape.at(flags[1] ? -2 : -1)!;
    const rows = sizeOf(a.shape) / Math.max(depth, 1);
    const multiplications = rows * columns * depth;
    // A product with one vector, as the sums of rows are, is no more work than to read it.
    if (multiplications < SMALLEST_PRODUCT || columns === 1 || sizeOf(b.shape) === 0) return undefined;
    const isMatrix = a.shape.length === 2 && b.shape.length === 2;
    this.#multiplications += multiplications;
    this.#squares += multiplications ** 2;
    const operands = [a, b].map((operand, i) => {
      const straight = isMatrix ? this.#untransposed(operand) : undefined;
      if (straight === undefined) return this.#narrowed(operand);
      flags = flags.with(i, !flags[i]);
      return this.#narrowed(straight);
    });
    if (this.#style === 'compiled') return this.#dot(operands, flags);
    const names = isMatrix ? ['transpose_a', 'transpose_b'] : ['adj_x', 'adj_y'];
    const written = names.flatMap((flagName, i) =>
      flags[i] ? [{ name: flagName, type: TF_ATTR_BOOL, value: true }] : [],
    );
    const operation = isMatrix ? 'MatMul' : 'BatchMatMulV2';
    const [result] = this.#add('product', operation, written, operands, 1) as [Node];
    return this.#mode.precision === 'float32' ? result : this.#cast('widened', result, TF_FLOAT);
  }

  /**
   * A product of operands in bfloat16 whose result is float32, which is the one that XLA multiplies in bfloat16 on processors. It
   * does so for a left operand whose rows lie one after the other in memory and are what is summed over, the right one either way.
   */
  #dot(operands: readonly Node[], transposed: readonly boolean[]): Node {
    const shapes = operands.map(({ shape }) => shape!);
    const rank = Math.max(...shapes.map(({ length }) => length));
    const axes = Array.from({ length: rank - 2 }, (_, axis) => axis);
    const batch = axes.map((axis) => Math.max(...shapes.map((shape) => shape.at(axis - rank) ?? 1)));
    const [[rows, depth], matrix] = shapes.map((shape) => shape.slice(-2)) as [[number, number], number[]];
    // One matrix for a whole stack: all rows of the stack at once.
    if (rank > 2 && !transposed[0] && sizeOf(shapes[1]!) === sizeOf(matrix)) {
      const stack = this.#plain('Reshape', operands[0]!, [sizeOf(shapes[0]!) / depth, depth]);
      const product = this.#dot([stack, this.#plain('Reshape', operands[1]!, matrix)], transposed);
      return this.#plain('Reshape', product, [...batch, rows, product.shape![1]!]);
    }
    const [left, right] = operands.map((operand) => this.#broadcast(operand, batch)) as [Node, Node];
    const numbers = [[rank - 1], [transposed[1] ? rank - 1 : rank - 2], axes, axes];
    const upright = transposed[0] ? this.#plain('Transpose', left, [...axes, rank - 1, rank - 2]) : left;
    return this.#add(
      'product',
      'XlaDotV2',
      [
        { name: 'dimension_numbers', type: TF_ATTR_STRING, value: dimensionNumbers(numbers) },
        { name: 'precision_config', type: TF_ATTR_STRING, value: '' },
        { name: 'preferred_element_type', type: TF_ATTR_TYPE, value: TF_FLOAT },
      ],
      [this.#rowByRow(upright), this.#rowByRow(right)],
      1,
    )[0]!;
  }

  /** A stack of matrices, once for each of a batch. */
  #broadcast(x: Node, batch: readonly number[]): Node {
    const shape = [...batch, ...x.shape!.slice(-2)];
    return sameShape(shape, x.shape!) ? x : this.#plain('BroadcastTo', x, shape);
  }

  /** The same laid out row by row: else XLA may choose another layout, for which it has no product in bfloat16. */
  #rowByRow(x: Node): Node {
    const flat = this.#plain('Reshape', x, [sizeOf(x.shape!)]);
    const kept = this.#add('plain', 'XlaOptimizationBarrier', [], [flat], 1)[0]!;
    return this.#plain('Reshape', kept, x.shape!);
  }

  /** An operation with whole numbers as its second input. */
  #plain(name: string, x: Node, numbers: readonly number[]): Node {
    const second = this.constant(TF_INT32, [numbers.length], Int32Array.from(numbers));
    return this.#add('plain', name, [], [x, second], 1)[0]!;
  }

  /** The matrix that this one is the transpose of; kernels transpose operands for XLA, which products here need not. */
  #untransposed(node: Node): Node | undefined {
    let line = this.lineOf(node);
    if (line.name === 'XlaOptimizationBarrier') line = this.lineOf(line.inputs[node.index]!);
    if (line.name !== 'Transpose' || line.inputs[0]!.shape!.length !== 2) return undefined;
    // The gradient of a gather ends in a transpose that leaves all where it is.
    return this.lineOf(line.inputs[1]!).values?.[0] === 1 ? line.inputs[0] : undefined;
  }

  /** An operand in the precision of products. */
  #narrowed(node: Node): Node {
    if (this.#mode.precision === 'float32') return node;
    const line = this.lineOf(node);
    return line.kind === 'widened' ? line.inputs[0]! : this.#cast('plain', node, TF_BFLOAT16);
  }

  #cast(kind: LineKind, node: Node, dtype: number): Node {
    return this.#add(kind, 'Cast', [{ name: 'DstT', type: TF_ATTR_TYPE, value: dtype }], [node], 1)[0]!;
  }
}

/** XLA's DotDimensionNumbers as a protocol buffer: axes summed over of both operands, axes of the batch of both. */
function dimensionNumbers(fields: readonly (readonly number[])[]): string {
  const LENGTH_DELIMITED = 2;
  const bytes = fields.flatMap((axes, i) =>
    axes.length === 0 ? [] : [((i + 1) << 3) | LENGTH_DELIMITED, axes.length, ...axes],
  );
  return String.fromCharCode(...bytes);
}
