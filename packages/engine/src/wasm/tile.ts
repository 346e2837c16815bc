import * as asm from './assembler.js';
import type { Code, FunctionDefinition } from './assembler.js';

/** Rows and columns of the register tile: ten vector registers hold its 5 x 8 sums, three more the operands; the fastest of ten shapes tried. */
export const tileRows = 5;
export const tileColumns = 8;

/** pack(source, target, count, depth, stride, depthStride, width): panels of `width` lines, depth-major, missing lines 0. Strides in bytes. */
export function packFunction(name: string, width: number): FunctionDefinition {
  const [source, target, count, depth, stride, depthStride, panel, level, address, write] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ] as const;
  const lines = Array.from({ length: width }, (_, line) => line);
  const whole = asm.sequence(
    ...lines.map((line) =>
      asm.storeFloat(
        asm.get(write),
        asm.loadFloat(asm.add(asm.get(address), asm.multiply(asm.get(stride), asm.constant(line)))),
        4 * line,
      ),
    ),
  );
  const partial = asm.sequence(
    ...lines.map((line) =>
      asm.when(
        asm.below(asm.add(asm.get(panel), asm.constant(line)), asm.get(count)),
        asm.storeFloat(
          asm.get(write),
          asm.loadFloat(asm.add(asm.get(address), asm.multiply(asm.get(stride), asm.constant(line)))),
          4 * line,
        ),
        asm.storeFloat(asm.get(write), asm.floatZero, 4 * line),
      ),
    ),
  );
  const levels = (body: Code): Code =>
    asm.count(
      level,
      asm.constant(0),
      asm.get(depth),
      asm.constant(1),
      asm.sequence(
        body,
        asm.set(address, asm.add(asm.get(address), asm.get(depthStride))),
        asm.set(write, asm.add(asm.get(write), asm.constant(4 * width))),
      ),
    );
  const body = asm.sequence(
    asm.set(write, asm.get(target)),
    asm.count(
      panel,
      asm.constant(0),
      asm.get(count),
      asm.constant(width),
      asm.sequence(
        asm.set(address, asm.add(asm.get(source), asm.multiply(asm.get(panel), asm.get(stride)))),
        asm.when(
          asm.below(asm.get(count), asm.add(asm.get(panel), asm.constant(width))),
          levels(partial),
          levels(whole),
        ),
      ),
    ),
  );
  const parameters = new Array<asm.ValueType>(6).fill(asm.i32);
  return { name, parameters, locals: [asm.i32, asm.i32, asm.i32, asm.i32], body };
}

/** tile(left, right, result, stride, depth, accumulate): one register tile from two packed panels. */
export function tileFunction(fused: boolean): FunctionDefinition {
  const [left, right, result, stride, depth, accumulate] = [0, 1, 2, 3, 4, 5] as const;
  const vectors = tileColumns / 4;
  const sum = (row: number, vector: number): number => 6 + row * vectors + vector;
  const operand = (vector: number): number => 6 + tileRows * vectors + vector;
  const splat = 6 + tileRows * vectors + vectors;
  const rows = Array.from({ length: tileRows }, (_, row) => row);
  const columns = Array.from({ length: vectors }, (_, vector) => vector);
  const at = (row: number): Code =>
    asm.add(asm.get(result), asm.multiply(asm.get(stride), asm.constant(row)));
  const round = (unrolled: number): Code =>
    asm.sequence(
      ...columns.map((vector) =>
        asm.set(operand(vector), asm.loadVector(asm.get(right), 4 * tileColumns * unrolled + 16 * vector)),
      ),
      ...rows.flatMap((row) => [
        asm.set(splat, asm.loadSplat(asm.get(left), 4 * tileRows * unrolled + 4 * row)),
        ...columns.map((vector) => {
          const [x, y, z] = [asm.get(splat), asm.get(operand(vector)), asm.get(sum(row, vector))];
          return asm.set(
            sum(row, vector),
            fused ? asm.multiplyAddVector(x, y, z) : asm.addVector(z, asm.multiplyVector(x, y)),
          );
        }),
      ]),
    );
  const body = asm.sequence(
    asm.when(
      asm.get(accumulate),
      asm.sequence(
        ...rows.flatMap((row) =>
          columns.map((vector) => asm.set(sum(row, vector), asm.loadVector(at(row), 16 * vector))),
        ),
      ),
    ),
    asm.loop(
      asm.get(depth),
      asm.sequence(
        round(0),
        asm.set(left, asm.add(asm.get(left), asm.constant(4 * tileRows))),
        asm.set(right, asm.add(asm.get(right), asm.constant(4 * tileColumns))),
        asm.set(depth, asm.subtract(asm.get(depth), asm.constant(1))),
      ),
    ),
    ...rows.flatMap((row) =>
      columns.map((vector) => asm.storeVector(at(row), asm.get(sum(row, vector)), 16 * vector)),
    ),
  );
  const locals = new Array<asm.ValueType>(tileRows * vectors + vectors + 1).fill(asm.v128);
  return { name: 'tile', parameters: new Array<asm.ValueType>(6).fill(asm.i32), locals, body };
}
