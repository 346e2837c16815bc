import type { Attribute } from '../recording/attribute.js';
import { setAttributes } from '../libtensorflow/attributes.js';
import { TF_ATTR_SHAPE, TF_ATTR_TENSOR, TF_ATTR_TYPE, cName, type Values } from '../recording/data-types.js';
import { createTensor } from '../libtensorflow/handles.js';
import type { Context } from '../libtensorflow/context.js';
import type { Library } from '../libtensorflow/library.js';
import type { Output } from '../libtensorflow/symbols.js';
import { writeKernel } from './graph-operations.js';
import type { Kernel } from '../recording/kernel.js';
import type { Node, RecordedGraph } from '../recording/platform.js';
import { listInputs } from '../recording/constant-inputs.js';

/** AttrValue bytes: true. */
const TRUE = Uint8Array.of(0x28, 0x01);

/** A TF_Graph: operations are added to it, functions are cut out of it. */
export class Graph implements RecordedGraph {
  readonly library: Library;
  readonly pointer: number;
  /** What the names of the next operations start with. */
  scope = 'n';
  /** How many operations have a name of each scope. */
  readonly #named = new Map<string, number>();
  readonly #context: Context;
  /** The functions that operations of this graph call: their TF_Functions and results. */
  readonly #functions = new Map<string, { definition: number; results: readonly Node[] }>();

  constructor(context: Context) {
    this.#context = context;
    this.library = context.library;
    this.pointer = this.library.symbols.TF_NewGraph();
  }

  /** Adds an operation and returns its first `outputs` outputs. */
  add(name: string, attributes: readonly Attribute[], inputs: readonly Output[], outputs: number): Node[] {
    const { symbols: s } = this.library;
    const oper = this.addEffect(name, attributes, inputs);
    const count = Math.min(outputs, s.TF_OperationNumOutputs(oper));
    return Array.from({ length: count }, (_, index) => {
      const output = { oper, index };
      return { oper, index, dtype: s.TF_OperationOutputType(output), shape: this.#shapeOf(output) };
    });
  }

  addKernel(kernel: Kernel, inputs: readonly Node[], attributes: readonly Attribute[]): Node[] {
    return writeKernel(this, kernel, inputs, attributes);
  }

  /** Adds an operation, which runs after those given, and returns it. */
  addEffect(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Output[],
    after: readonly number[] = [],
  ): number {
    const { symbols: s, status } = this.library;
    const number = this.#named.get(this.scope) ?? 0;
    this.#named.set(this.scope, number + 1);
    const description = s.TF_NewOperation(this.pointer, cName(name), `${this.scope}_${number}`);
    const list = listInputs[name];
    const listed = list === undefined ? 0 : list === 'all' ? inputs.length : inputs.length - 1;
    if (list !== undefined) s.TF_AddInputList(description, packOutputs(inputs.slice(0, listed)), listed);
    for (const input of inputs.slice(listed))
      s.TF_AddInput(description, { oper: input.oper, index: input.index });
    for (const oper of after) s.TF_AddControlInput(description, oper);
    setAttributes(this.library, 'graph', description, attributes);
    const oper = s.TF_FinishOperation(description, status);
    this.library.check(`Operation ${name}`);
    return oper;
  }

  /**
   * Adds a call of a function, which `write` writes when the name comes up for the first time. Unlike the operations it
   * consists of, a function that is called again is not translated for the compiler again.
   */
  call(name: string, inputs: readonly Node[], write: (body: Graph, inputs: Node[]) => Node[]): Node[] {
    let called = this.#functions.get(name);
    if (called === undefined) {
      called = this.#define(name, inputs, write);
      this.#functions.set(name, called);
    }
    const { symbols: s, status } = this.library;
    const oper = this.addEffect(name, [], inputs);
    return called.results.map(({ dtype, shape }, index) => {
      const dimensions = BigInt64Array.from(shape!, BigInt);
      s.TF_GraphSetTensorShape(this.pointer, { oper, index }, dimensions, shape!.length, status);
      this.library.check(`Shape of ${name}`);
      return { oper, index, dtype, shape };
    });
  }

  #define(
    name: string,
    inputs: readonly Node[],
    write: (body: Graph, inputs: Node[]) => Node[],
  ): { definition: number; results: readonly Node[] } {
    const { symbols: s, status } = this.library;
    const body = new Graph(this.#context);
    try {
      const placeholders = inputs.map(({ dtype, shape }) => body.placeholder(dtype, shape!));
      const results = write(body, placeholders);
      const definition = body.cut(name, null, placeholders, results);
      s.TF_FunctionSetAttrValueProto(definition, '_noinline', TRUE, TRUE.length, status);
      this.library.check(`Function ${name}`);
      this.copyFunction(definition);
      this.#context.addFunction(definition);
      return { definition, results };
    } finally {
      body.delete();
    }
  }

  #shapeOf(output: Output): number[] | null {
    const { symbols: s, status } = this.library;
    const rank = s.TF_GraphGetTensorNumDims(this.pointer, output, status);
    if (rank < 0) return null;
    const shape = new BigInt64Array(rank);
    s.TF_GraphGetTensorShape(this.pointer, output, shape, rank, status);
    return shape.some((dimension) => dimension < 0n) ? null : Array.from(shape, Number);
  }

  /** An input of the functions that will be cut out. */
  placeholder(dtype: number, shape: readonly number[]): Node {
    return this.add(
      'Placeholder',
      [
        { name: 'dtype', type: TF_ATTR_TYPE, value: dtype },
        { name: 'shape', type: TF_ATTR_SHAPE, value: [...shape] },
      ],
      [],
      1,
    )[0]!;
  }

  constant(dtype: number, shape: readonly number[], values: Values): Node {
    const tensor = createTensor(this.library, dtype, shape, values);
    try {
      return this.add(
        'Const',
        [
          { name: 'dtype', type: TF_ATTR_TYPE, value: dtype },
          { name: 'value', type: TF_ATTR_TENSOR, value: tensor },
        ],
        [],
        1,
      )[0]!;
    } finally {
      this.library.symbols.TF_DeleteTensor(tensor);
    }
  }

  /** A TF_Function of some of the graph's operations (all if none are given); the caller deletes it. */
  cut(
    name: string,
    operations: readonly number[] | null,
    inputs: readonly Output[],
    outputs: readonly Output[],
    effects: readonly number[] = [],
  ): number {
    const { symbols: s, status } = this.library;
    const result = s.TF_GraphToFunctionWithControlOutputs(
      this.pointer,
      name,
      0,
      operations === null ? -1 : operations.length,
      operations === null ? null : packPointers(operations),
      inputs.length,
      packOutputs(inputs),
      outputs.length,
      packOutputs(outputs),
      null,
      effects.length,
      effects.length === 0 ? null : packPointers(effects),
      null,
      0,
      'A recorded step',
      status,
    );
    this.library.check(`Function ${name}`);
    return result;
  }

  /** Makes a TF_Function known to the graph. */
  copyFunction(definition: number): void {
    const { symbols: s, status } = this.library;
    s.TF_GraphCopyFunction(this.pointer, definition, 0, status);
    this.library.check('Copying a function');
  }

  /** The same with all functions that operations of this graph call. */
  copyFunctionsTo(other: Graph): void {
    for (const { definition } of this.#functions.values()) other.copyFunction(definition);
  }

  delete(): void {
    const { symbols: s } = this.library;
    for (const { definition } of this.#functions.values()) s.TF_DeleteFunction(definition);
    s.TF_DeleteGraph(this.pointer);
  }
}

/** TF_Output[]: 16 bytes each. */
function packOutputs(outputs: readonly Output[]): BigUint64Array {
  const packed = new BigUint64Array(outputs.length * 2);
  outputs.forEach((output, i) => {
    packed[2 * i] = BigInt(output.oper);
    packed[2 * i + 1] = BigInt(output.index);
  });
  return packed;
}

function packPointers(pointers: readonly number[]): BigUint64Array {
  return BigUint64Array.from(pointers, BigInt);
}
