import * as asm from './assembler.js';
import type { Code, FunctionDefinition } from './assembler.js';
import { packFunction, tileColumns, tileFunction, tileRows } from './tile.js';

/** Depth, rows and columns of the blocks that stay in the first, second and third level cache. */
const blockDepth = 256;
const blockRows = 25 * tileRows;
const blockColumns = 2048;

/** Bytes of scratch memory that one thread of `product` needs. */
export const scratchBytes: number =
  4 * (blockDepth * blockColumns + blockDepth * blockRows + tileRows * tileColumns);

const bytes = (elements: Code): Code => asm.multiply(elements, asm.constant(4));

/**
 * product(a, aRow, aColumn, b, bRow, bColumn, c, cRow, m, n, k, accumulate, scratch): C = A B, or C += A B.
 * Addresses and strides in bytes; a transposed operand is one with its strides exchanged; the columns of C are adjacent.
 */
function productFunction(): FunctionDefinition {
  const [a, aRow, aColumn, b, bRow, bColumn, c, cRow, m, n, k, accumulate, scratch] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ] as const;
  const [j, jSize, p, pSize, i, iSize, column, row, packedA, edge, target, again, x, y] = [
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
  ] as const;
  const { get, set, add, constant, multiply, subtract, minimum } = asm;
  const panelA = add(get(packedA), bytes(multiply(get(row), get(pSize))));
  const panelB = add(get(scratch), bytes(multiply(get(column), get(pSize))));
  const edgeAt = add(get(edge), bytes(add(multiply(get(x), constant(tileColumns)), get(y))));
  const targetAt = add(add(get(target), multiply(get(x), get(cRow))), bytes(get(y)));
  const eachEdge = (body: Code): Code =>
    asm.count(
      x,
      constant(0),
      minimum(constant(tileRows), subtract(get(iSize), get(row))),
      constant(1),
      asm.count(
        y,
        constant(0),
        minimum(constant(tileColumns), subtract(get(jSize), get(column))),
        constant(1),
        body,
      ),
    );
  const edgeTile = asm.sequence(
    asm.call(2, panelA, panelB, get(edge), constant(4 * tileColumns), get(pSize), constant(0)),
    asm.when(
      get(again),
      eachEdge(asm.storeFloat(targetAt, asm.addFloat(asm.loadFloat(targetAt), asm.loadFloat(edgeAt)))),
      eachEdge(asm.storeFloat(targetAt, asm.loadFloat(edgeAt))),
    ),
  );
  const tile = asm.sequence(
    set(
      target,
      add(add(get(c), multiply(add(get(i), get(row)), get(cRow))), bytes(add(get(j), get(column)))),
    ),
    asm.when(
      // Both differences are unsigned: the tile reaches over the edge of the block.
      add(
        asm.below(subtract(get(iSize), get(row)), constant(tileRows)),
        asm.below(subtract(get(jSize), get(column)), constant(tileColumns)),
      ),
      edgeTile,
      asm.call(2, panelA, panelB, get(target), get(cRow), get(pSize), get(again)),
    ),
  );
  const rowsOfBlock = asm.sequence(
    set(iSize, minimum(constant(blockRows), subtract(get(m), get(i)))),
    asm.call(
      0,
      add(add(get(a), multiply(get(i), get(aRow))), multiply(get(p), get(aColumn))),
      ...[get(packedA), get(iSize), get(pSize), get(aRow), get(aColumn)],
    ),
    asm.count(
      column,
      ...([constant(0), get(jSize), constant(tileColumns)] as const),
      asm.count(row, constant(0), get(iSize), constant(tileRows), tile),
    ),
  );
  const depthOfBlock = asm.sequence(
    set(pSize, minimum(constant(blockDepth), subtract(get(k), get(p)))),
    set(again, add(get(accumulate), get(p))),
    asm.call(
      1,
      add(add(get(b), multiply(get(p), get(bRow))), multiply(get(j), get(bColumn))),
      ...[get(scratch), get(jSize), get(pSize), get(bColumn), get(bRow)],
    ),
    asm.count(i, constant(0), get(m), constant(blockRows), rowsOfBlock),
  );
  const body = asm.sequence(
    set(packedA, add(get(scratch), constant(4 * blockDepth * blockColumns))),
    set(edge, add(get(packedA), constant(4 * blockDepth * blockRows))),
    asm.count(
      j,
      ...([constant(0), get(n), constant(blockColumns)] as const),
      asm.sequence(
        set(jSize, minimum(constant(blockColumns), subtract(get(n), get(j)))),
        asm.count(p, constant(0), get(k), constant(blockDepth), depthOfBlock),
      ),
    ),
  );
  return {
    name: 'product',
    parameters: new Array<asm.ValueType>(13).fill(asm.i32),
    locals: new Array<asm.ValueType>(14).fill(asm.i32),
    body,
  };
}

/** The fields of one job of `products`, each one 32-bit integer; addresses and strides in bytes. */
export interface Job {
  a: number;
  aRow: number;
  aColumn: number;
  b: number;
  bRow: number;
  bColumn: number;
  c: number;
  cRow: number;
  m: number;
  n: number;
  k: number;
  accumulate: number;
  outer: number;
  aOuter: number;
  bOuter: number;
  cOuter: number;
  inner: number;
  aInner: number;
  bInner: number;
  cInner: number;
}

const one: readonly (keyof Job)[] = 'a aRow aColumn b bRow bColumn c cRow m n k accumulate'.split(
  ' ',
) as (keyof Job)[];
const many: readonly (keyof Job)[] = 'outer aOuter bOuter cOuter inner aInner bInner cInner'.split(
  ' ',
) as (keyof Job)[];
/** The fields of a job in memory order. */
export const jobFields: readonly (keyof Job)[] = [...one, ...many];

/** products(job, scratch): `product` for outer x inner pairs of matrices at fixed distances. */
function productsFunction(): FunctionDefinition {
  const [job, scratch, x, y] = [0, 1, 2, 3] as const;
  const field = (name: keyof Job): Code => asm.loadInteger(asm.get(job), 4 * jobFields.indexOf(name));
  const moved = (name: 'a' | 'b' | 'c'): Code =>
    asm.add(
      field(name),
      asm.add(
        asm.multiply(asm.get(x), field(`${name}Outer`)),
        asm.multiply(asm.get(y), field(`${name}Inner`)),
      ),
    );
  const product = asm.call(
    3,
    ...jobFields
      .slice(0, 12)
      .map((name) => (name === 'a' || name === 'b' || name === 'c' ? moved(name) : field(name))),
    asm.get(scratch),
  );
  const inner = asm.count(y, asm.constant(0), field('inner'), asm.constant(1), product);
  const body = asm.count(x, asm.constant(0), field('outer'), asm.constant(1), inner);
  return { name: 'products', parameters: [asm.i32, asm.i32], locals: [asm.i32, asm.i32], body };
}

/** The module of matrix products; `fused` uses one rounding a multiply-add where the machine has it. */
export function productModule(shared: boolean, fused: boolean): Uint8Array<ArrayBuffer> {
  return asm.assembleModule(
    [
      packFunction('packRows', tileRows),
      packFunction('packColumns', tileColumns),
      tileFunction(fused),
      productFunction(),
      productsFunction(),
    ],
    shared,
  );
}
