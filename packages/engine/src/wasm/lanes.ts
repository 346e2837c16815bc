import * as asm from './assembler.js';
import type { Code, FunctionDefinition } from './assembler.js';
import { webAssembly } from './webassembly.js';
import type { WasmMemory } from './webassembly.js';

/** Writes one step of a loop over four elements at a time. */
export interface Lanes {
  /** Four elements of input `index`. */
  input(index: number): Code;
  /** Number `index` of the call, in the four lanes. */
  number(index: number): Code;
  /** Keeps a value that is used more than once. */
  keep(value: Code): Code;
}

/** A kernel: how many inputs and numbers it takes and what it computes from them, an output each. */
export interface LaneKernel {
  inputs: number;
  numbers: number;
  outputs: (lanes: Lanes) => Code[];
}

/** name(count, inputs..., outputs..., address of the numbers): `count` is a multiple of 4. */
function laneFunction(name: string, { inputs, numbers, outputs }: LaneKernel): FunctionDefinition {
  let locals = 0;
  const body: Code[] = [];
  const firstVector = (): number => 1 + inputs + outputCount + 1 + 1;
  const lanes: Lanes = {
    input: (index) => asm.loadVector(asm.add(asm.get(1 + index), asm.get(offset))),
    number: (index) => asm.get(firstVector() + index),
    keep: (value) => {
      const local = firstVector() + numbers + locals++;
      body.push(asm.set(local, value));
      return asm.get(local);
    },
  };
  // Outputs are counted by a first run that is thrown away.
  let outputCount = 0;
  let offset = 0;
  outputCount = outputs(lanes).length;
  [locals, body.length] = [0, 0];
  const numbersAt = 1 + inputs + outputCount;
  offset = numbersAt + 1;
  const results = outputs(lanes).map((value) => lanes.keep(value));
  results.forEach((value, index) => {
    body.push(asm.storeVector(asm.add(asm.get(1 + inputs + index), asm.get(offset)), value));
  });
  const loads = Array.from({ length: numbers }, (_, index) =>
    asm.set(firstVector() + index, asm.loadSplat(asm.get(numbersAt), 4 * index)),
  );
  const bytes = asm.multiply(asm.get(0), asm.constant(4));
  return {
    name,
    parameters: new Array<asm.ValueType>(numbersAt + 1).fill(asm.i32),
    locals: [asm.i32, ...new Array<asm.ValueType>(numbers + locals).fill(asm.v128)],
    body: asm.sequence(
      ...loads,
      asm.count(offset, asm.constant(0), bytes, asm.constant(16), asm.sequence(...body)),
    ),
  };
}

type Compiled = (count: number, ...addresses: number[]) => void;

const vectorBytes = 16;
const mostVectors = 16;

/** Kernels over elements, four at a time, in the memory of the wasm backend. */
export class LaneUnit<Name extends string> {
  readonly #compiled: Record<string, Compiled>;
  /** Numbers of a call, then copies of what is left of inputs and outputs after the last whole four. */
  readonly #scratch: number;

  constructor(
    readonly memory: WasmMemory,
    allocate: (bytes: number) => number,
    kernels: Record<Name, LaneKernel>,
  ) {
    const functions = Object.entries<LaneKernel>(kernels).map(([name, kernel]) => laneFunction(name, kernel));
    const module = new webAssembly.Module(asm.assembleModule(functions, false));
    const { exports } = new webAssembly.Instance(module, { env: { memory } });
    this.#compiled = exports as Record<string, Compiled>;
    this.#scratch = allocate(2 * mostVectors * vectorBytes) >>> 0;
  }

  /** Runs a kernel on `count` floats at each address. */
  run(
    name: Name,
    count: number,
    inputs: readonly number[],
    outputs: readonly number[],
    numbers: readonly number[] = [],
  ): void {
    const kernel = this.#compiled[name]!;
    const floats = new Float32Array(this.memory.buffer);
    floats.set(numbers, this.#scratch / 4);
    const whole = count - (count % 4);
    if (whole > 0) kernel(whole, ...inputs, ...outputs, this.#scratch);
    const rest = count - whole;
    if (rest === 0) return;
    const slot = (index: number): number => this.#scratch + (mostVectors + index) * vectorBytes;
    inputs.forEach((address, index) => {
      const from = address / 4 + whole;
      floats.copyWithin(slot(index) / 4, from, from + rest);
    });
    const results = outputs.map((_, index) => slot(inputs.length + index));
    kernel(4, ...inputs.map((_, index) => slot(index)), ...results, this.#scratch);
    outputs.forEach((address, index) => {
      floats.copyWithin(address / 4 + whole, results[index]! / 4, results[index]! / 4 + rest);
    });
  }
}
