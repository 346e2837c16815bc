import { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_RESOURCE } from '../recording/data-types.js';
import type { Runtime } from '../libtensorflow/values.js';
import { digest } from '../recording/digest.js';
import type { Node } from '../recording/platform.js';
import { Graph } from './graph.js';
import type { Unit } from './partition.js';
import { keyOf, type Sheet } from './sheet.js';

/** The function of a piece: the same for all equal ones. */
export class PieceBody {
  readonly #sheet: Sheet;
  readonly #operations: readonly number[];
  readonly #name: string;
  /** What it takes from outside, nodes of the sheet in the order of their first use. */
  readonly inputs: readonly Node[];
  /** What it gives. */
  readonly outputs: readonly Node[];

  constructor(sheet: Sheet, { lines }: Unit, isNeeded: (node: Node) => boolean, results: readonly Node[]) {
    this.#sheet = sheet;
    const operations = new Set<number>();
    const inputs = new Map<string, Node>();
    const numbers = new Map<string, string>();
    const describe = (node: Node): string => {
      const key = keyOf(node);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      const line = sheet.lineOf(node);
      let text: string;
      if (line.kind === 'constant' || line.kind === 'widened') {
        operations.add(node.oper);
        text = `${line.signature}(${line.inputs.map(describe).join()})`;
      } else {
        text = `input ${inputs.size} ${node.dtype} ${node.shape!.join()}`;
        inputs.set(key, node);
      }
      numbers.set(key, text);
      return text;
    };
    const written = lines.map((line, place) => {
      const from = line.inputs.map(describe);
      operations.add(line.outputs[0]!.oper);
      line.outputs.forEach((node, i) => numbers.set(keyOf(node), `${place}:${i}`));
      return [line.signature, from];
    });
    const wanted = new Set(results.map(keyOf));
    this.outputs = lines.flatMap((line) =>
      line.outputs.filter((node) => isNeeded(node) || wanted.has(keyOf(node))),
    );
    this.inputs = [...inputs.values()];
    this.#operations = [...operations];
    this.#name = `piece_${digest([written, this.outputs.map((node) => numbers.get(keyOf(node)))])}`;
  }

  /** Makes the function known, and gives its name. */
  register(runtime: Runtime): string {
    if (!runtime.functionNames.has(this.#name)) register(runtime, this.#name, this.#cut());
    return this.#name;
  }

  #cut(): number {
    return this.#sheet.graph.cut(this.#name, this.#operations, this.inputs, this.outputs);
  }

  /** The same around it: some of `count` inputs are variables, which it overwrites, and it gives only what is wanted. */
  registerInPlace(
    runtime: Runtime,
    count: number,
    assignments: readonly { input: number; output: number }[],
    returned: readonly number[],
  ): string {
    const name = `${this.#name}_${digest([count, assignments, returned])}`;
    if (runtime.functionNames.has(name)) return name;
    const body = this.#cut();
    const graph = new Graph(runtime.context);
    try {
      graph.copyFunction(body);
      const state = new Map(assignments.map(({ input, output }) => [input, this.outputs[output]!]));
      const inputs = Array.from({ length: count }, (_, i) => {
        if (state.has(i)) return graph.placeholder(TF_RESOURCE, []);
        return graph.placeholder(this.inputs[i]!.dtype, this.inputs[i]!.shape!);
      });
      const type = (dtype: number): { name: string; type: number; value: number } => ({
        name: 'dtype',
        type: TF_ATTR_TYPE,
        value: dtype,
      });
      const values = this.inputs.map(({ dtype }, i) =>
        state.has(i) ? graph.add('ReadVariableOp', [type(dtype)], [inputs[i]!], 1)[0]! : inputs[i]!,
      );
      const outputs = graph.add(this.#name, [], values, this.outputs.length);
      const effects = assignments.map(({ input, output }) =>
        graph.addEffect(
          'AssignVariableOp',
          [type(outputs[output]!.dtype), { name: 'validate_shape', type: TF_ATTR_BOOL, value: false }],
          [inputs[input]!, outputs[output]!],
          values.flatMap((value, i) => (state.has(i) ? [value.oper] : [])),
        ),
      );
      const wrapper = graph.cut(
        name,
        null,
        inputs,
        returned.map((i) => outputs[i]!),
        effects,
      );
      if (runtime.functionNames.has(this.#name)) runtime.library.symbols.TF_DeleteFunction(body);
      else register(runtime, this.#name, body);
      register(runtime, name, wrapper);
      return name;
    } finally {
      graph.delete();
    }
  }
}

function register(runtime: Runtime, name: string, definition: number): void {
  try {
    runtime.context.addFunction(definition);
    runtime.functionNames.set(name, 1);
  } finally {
    runtime.library.symbols.TF_DeleteFunction(definition);
  }
}
