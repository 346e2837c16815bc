import { TF_BOOL, TF_INT32, sizeOf } from '../../recording/data-types.js';
import { NotRecorded } from '../../recording/recorder-setting.js';
import { axesOf, broadcast, compare, full, iota, reshape, select, slice } from '../notation.js';
import { typeOf, typeText, type Program, type Term } from '../program.js';
import type { Translation } from '../translate.js';

const list = (values: readonly number[]): string => values.join(', ');
const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

/** Slices of `x` where indices point to; those outside are moved inside. */
function gather(
  p: Program,
  x: Term,
  indices: Term,
  shape: readonly number[],
  {
    offsets,
    collapsed,
    starts,
    sizes,
  }: { offsets: number[]; collapsed: number[]; starts: number[]; sizes: number[] },
): Term {
  return p.write(
    x.dtype,
    shape,
    `"stablehlo.gather"(${p.ref(x)}, ${p.ref(indices)}) <{dimension_numbers = #stablehlo.gather<offset_dims = [${list(offsets)}], ` +
      `collapsed_slice_dims = [${list(collapsed)}], start_index_map = [${list(starts)}], index_vector_dim = ${indices.shape.length - 1}>, ` +
      `slice_sizes = array<i64: ${list(sizes)}>, indices_are_sorted = false}> : (${typeOf(x)}, ${typeOf(indices)}) -> ` +
      typeText(x.dtype, shape),
  );
}

/** `x` with updates [..., slice] added, or put, where indices [..., depth] point to; those outside are left out. */
function scatter(p: Program, x: Term, indices: Term, updates: Term, isSum: boolean): Term {
  const depth = indices.shape.at(-1)!;
  const outer = indices.shape.length - 1;
  const element = typeText(x.dtype, []);
  const sum = isSum ? (x.dtype === TF_BOOL ? 'or' : 'add') : undefined;
  const body = sum === undefined ? '' : `%s = stablehlo.${sum} %a, %b : ${element} `;
  return p.write(
    x.dtype,
    x.shape,
    `"stablehlo.scatter"(${p.ref(x)}, ${p.ref(indices)}, ${p.ref(updates)}) <{scatter_dimension_numbers = #stablehlo.scatter<` +
      `update_window_dims = [${list(range(x.shape.length - depth, outer))}], inserted_window_dims = [${list(range(depth))}], ` +
      `scatter_dims_to_operand_dims = [${list(range(depth))}], index_vector_dim = ${outer}>, indices_are_sorted = false, ` +
      `unique_indices = false}> ({ ^bb0(%a: ${element}, %b: ${element}): ${body}stablehlo.return %${sum === undefined ? 'b' : 's'} : ` +
      `${element} }) : (${typeOf(x)}, ${typeOf(indices)}, ${typeOf(updates)}) -> ${typeOf(x)}`,
  );
}

/** Looking up by index, and adding up by it. */
export const indexing: Readonly<Record<string, Translation>> = {
  GatherNd: (p, [x, indices]) => {
    const depth = indices!.shape.at(-1)!;
    const outer = indices!.shape.slice(0, -1);
    const rest = x!.shape.slice(depth);
    return [
      gather(p, x!, indices!, [...outer, ...rest], {
        offsets: range(rest.length, outer.length),
        collapsed: range(depth),
        starts: range(depth),
        sizes: [...range(depth).map(() => 1), ...rest],
      }),
    ];
  },
  GatherV2: (p, [x, indices, axisTerm], attribute) => {
    if (((attribute('batch_dims') as number | undefined) ?? 0) !== 0)
      throw new NotRecorded('GatherV2 by batches is not translated for XLA');
    const [axis] = axesOf(p, axisTerm!, x!.shape.length);
    const before = x!.shape.slice(0, axis);
    const after = x!.shape.slice(axis! + 1);
    const { length } = indices!.shape;
    return [
      gather(p, x!, reshape(p, indices!, [...indices!.shape, 1]), [...before, ...indices!.shape, ...after], {
        offsets: [...range(before.length), ...range(after.length, axis! + length)],
        collapsed: [axis!],
        starts: [axis!],
        sizes: x!.shape.with(axis!, 1),
      }),
    ];
  },
  OneHot: (p, [indices, depthTerm, on, off], attribute) => {
    const axis = (attribute('axis') as number | undefined) ?? -1;
    if (axis !== -1)
      throw new NotRecorded('OneHot along another axis than the last is not translated for XLA');
    const shape = [...indices!.shape, p.valuesOf(depthTerm!)[0]!];
    const places = iota(p, shape, shape.length - 1);
    const wanted = broadcast(p, reshape(p, indices!, [...indices!.shape, 1]), shape);
    return [select(p, compare(p, 'EQ', places, wanted), on!, off!)];
  },
  ScatterNd: (p, [indices, updates, shape]) => {
    const zeros = full(p, updates!, 0, p.valuesOf(shape!));
    return [scatter(p, zeros, indices!, updates!, true)];
  },
  TensorScatterUpdate: (p, [x, indices, updates]) => [scatter(p, x!, indices!, updates!, false)],
  TopKV2: (p, [x, countTerm]) => {
    const [count] = p.valuesOf(countTerm!);
    const axis = x!.shape.length - 1;
    const places = iota(p, x!.shape, axis);
    const [number, place] = [typeText(x!.dtype, []), typeText(TF_INT32, [])];
    const sorted = p.writeAll(
      [x!, places],
      `"stablehlo.sort"(${p.ref(x!)}, ${p.ref(places)}) <{dimension = ${axis} : i64, is_stable = true}> ({ ` +
        `^bb0(%a: ${number}, %b: ${number}, %c: ${place}, %d: ${place}): ` +
        `%e = stablehlo.compare GT, %a, %b : (${number}, ${number}) -> tensor<i1> stablehlo.return %e : tensor<i1> }) : ` +
        `(${typeOf(x!)}, ${typeOf(places)}) -> (${typeOf(x!)}, ${typeOf(places)})`,
    );
    const begin = x!.shape.map(() => 0);
    return sorted.map((term) => slice(p, term, begin, x!.shape.with(axis, count!)));
  },
  UnsortedSegmentSum: (p, [x, ids, countTerm]) => {
    const outer = ids!.shape.length;
    const shape = [p.valuesOf(countTerm!)[0]!, ...x!.shape.slice(outer)];
    const rows = sizeOf(ids!.shape);
    const updates = reshape(p, x!, [rows, ...x!.shape.slice(outer)]);
    return [scatter(p, full(p, x!, 0, shape), reshape(p, ids!, [rows, 1]), updates, true)];
  },
};
