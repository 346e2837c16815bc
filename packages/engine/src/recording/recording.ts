import type { Attribute } from './attribute.js';
import type { TypedArray } from './data-types.js';
import { newValue, type Value } from './value.js';
import { constantInputs, neverRecorded } from './constant-inputs.js';
import { digest } from './digest.js';
import type { Kernel } from './kernel.js';
import type { Node, RecordedGraph } from './platform.js';
import { CONSTANT, sameAttributes, sameConstant, sameShape, type Entry, type Input } from './trie.js';

/** One operation as it was recorded this time. */
export interface Recorded {
  readonly entry: Entry;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

let recordings = 0;

/** The operations of one step so far, found in (or added to) the trie of earlier ones. */
export class Recording {
  readonly number: number = recordings++;
  readonly operations: Recorded[] = [];
  /** Values from outside, in order of first use. */
  readonly feeds: Value[] = [];
  /** The last recorded entry. */
  position: Entry;
  #results = 0;

  constructor(root: Entry) {
    this.position = root;
  }

  /** The entry for an operation if it has been recorded after the present ones before; takes the step to it. */
  match(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
  ): Entry | undefined {
    for (const child of this.position.children) {
      if (child.name !== name || child.inputs.length !== inputs.length) continue;
      if (child.outputs.length !== outputs && child.refusal === undefined) continue;
      const before = this.feeds.length;
      if (!sameAttributes(child.attributes, attributes) || !this.#matchInputs(child.inputs, inputs)) continue;
      if (child.refusal !== undefined) this.#forget(before);
      return child;
    }
    return undefined;
  }

  #matchInputs(expected: readonly Input[], values: readonly Value[]): boolean {
    const before = this.feeds.length;
    for (let i = 0; i < expected.length; i++) {
      const input = expected[i]!;
      const value = values[i]!;
      if (input.reference === CONSTANT) {
        if (sameConstant(input, value)) continue;
      } else if (value.recording === this.number) {
        if (value.reference === input.reference) continue;
      } else if (
        input.reference === -this.feeds.length - 1 &&
        input.dtype === value.dtype &&
        sameShape(input.shape, value.shape)
      ) {
        this.#feed(value);
        continue;
      }
      this.#forget(before);
      return false;
    }
    return true;
  }

  #feed(value: Value): void {
    value.recording = this.number;
    value.reference = -this.feeds.length - 1;
    this.feeds.push(value);
  }

  #forget(count: number): void {
    while (this.feeds.length > count) this.feeds.pop()!.recording = -1;
  }

  /** Adds an operation that was never recorded here; what the graph refuses becomes an entry with a refusal. */
  extend(
    graph: RecordedGraph,
    name: string,
    kernel: Kernel | undefined,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
    outputs: number,
    refusal: string | undefined,
  ): Entry {
    const before = this.feeds.length;
    const path = this.#pathOf(name, kernel, attributes, inputs);
    graph.scope = path; // so that its operations have the same names in every process
    const nodes: Input[] = [];
    inputs.forEach((value, i) => {
      const same = inputs.indexOf(value);
      nodes.push(
        same < i && nodes[same]!.reference !== CONSTANT
          ? nodes[same]!
          : this.#input(graph, name, kernel, value, i, inputs.length),
      );
    });
    const operations: number[] = nodes
      .filter((input) => input.reference === CONSTANT)
      .map((input) => input.node.oper);
    let results: Node[] = [];
    let reason =
      refusal ??
      (neverRecorded.has(name) ? `${name} gives other results, or other shapes, at every call` : undefined);
    reason ??= inputs.some((value) => value.dtype === 7 || value.dtype === 20)
      ? `${name} reads strings or resources`
      : undefined;
    if (reason === undefined) {
      try {
        const graphInputs = nodes.map((input) => input.node);
        results =
          kernel === undefined
            ? graph.add(name, attributes, graphInputs, outputs)
            : graph.addKernel(kernel, graphInputs, attributes);
        operations.push(results[0]?.oper ?? 0);
        if (results.length !== outputs || results.some((result) => result.shape === null)) {
          reason = `${name}: the shape of its result depends on data`;
        }
      } catch (error) {
        reason = (error as Error).message;
      }
    }
    if (reason !== undefined) this.#forget(before);
    const entry: Entry = {
      name,
      path,
      kernel,
      attributes: attributes.map((attribute) => ({ ...attribute })),
      inputs: nodes,
      outputs: reason === undefined ? results : [],
      operations,
      refusal: reason,
      children: [],
      functions: [],
    };
    this.position.children.unshift(entry);
    return entry;
  }

  /** A digest of the operations so far and one more; of values from outside it has the shape, of constants the values. */
  #pathOf(
    name: string,
    kernel: Kernel | undefined,
    attributes: readonly Attribute[],
    inputs: readonly Value[],
  ): string {
    const described = inputs.map((value, i) => {
      const { dtype, shape, host } = value;
      if (host !== undefined && isConstant(name, kernel, i, inputs.length))
        return [dtype, shape, Array.from(host as TypedArray, String)];
      return value.recording === this.number ? value.reference : [dtype, shape, inputs.indexOf(value)];
    });
    return digest([this.position.path, name, attributes, described]);
  }

  #input(
    graph: RecordedGraph,
    name: string,
    kernel: Kernel | undefined,
    value: Value,
    position: number,
    count: number,
  ): Input {
    const { dtype, shape, host } = value;
    if (host !== undefined && isConstant(name, kernel, position, count)) {
      const node = graph.constant(dtype, shape, host);
      return { reference: CONSTANT, dtype, shape, values: host, node };
    }
    if (value.recording !== this.number) {
      this.#feed(value);
      return {
        reference: value.reference,
        dtype,
        shape,
        values: undefined,
        node: graph.placeholder(dtype, shape),
      };
    }
    return { reference: value.reference, dtype, shape, values: undefined, node: this.node(value.reference) };
  }

  /** The place in the graph of a feed or result of this recording. */
  node(reference: number): Node {
    if (reference >= 0) {
      for (let i = this.operations.length - 1, last = this.#results; i >= 0; i--) {
        const { outputs } = this.operations[i]!.entry;
        last -= outputs.length;
        if (reference >= last) return outputs[reference - last]!;
      }
    }
    for (const { entry } of this.operations) {
      for (const input of entry.inputs) if (input.reference === reference) return input.node;
    }
    throw new Error(`A recorded step has no value number ${reference}.`);
  }

  /** Takes the step to an entry; gives the results, in `reuse` if values for them exist already. */
  advance(entry: Entry, inputs: readonly Value[], reuse?: readonly Value[]): Value[] {
    const outputs = entry.outputs.map((node, i) => {
      const value = reuse?.[i] ?? newValue(node.dtype, node.shape!, 0);
      value.recording = this.number;
      value.reference = this.#results++;
      return value;
    });
    this.operations.push({ entry, inputs, outputs });
    this.position = entry;
    return outputs;
  }
}

/** Whether an input must be known when the operation is compiled. */
function isConstant(name: string, kernel: Kernel | undefined, position: number, count: number): boolean {
  const fixed = kernel === undefined ? constantInputs[name] : undefined;
  return fixed !== undefined && (fixed.includes(position) || fixed.includes(position - count));
}
