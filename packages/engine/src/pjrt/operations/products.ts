import { TF_BFLOAT16, TF_FLOAT, sizeOf } from '../../recording/data-types.js';
import { binary, broadcast, convert, reshape } from '../notation.js';
import { typeOf, typeText, type Program, type Term } from '../program.js';
import type { Translation } from '../translate.js';

/** Multiplications in a product from which on it is computed in bfloat16, where products are. */
const SMALLEST_PRODUCT = 2 ** 17;

/** Products of stacks of matrices [..., rows, depth] and [..., depth, columns], of which either may be transposed. */
function product(p: Program, a: Term, b: Term, isTransposedA: boolean, isTransposedB: boolean): Term {
  const batch = a.shape.length - 2;
  const [depthA, depthB] = [batch + (isTransposedA ? 0 : 1), batch + (isTransposedB ? 1 : 0)];
  const [rows, columns] = [a.shape[2 * batch + 1 - depthA]!, b.shape[2 * batch + 1 - depthB]!];
  const shape = [...a.shape.slice(0, batch), rows, columns];
  const isNarrow =
    p.arithmetic.precision === 'bfloat16' &&
    a.dtype === TF_FLOAT &&
    sizeOf(shape) * a.shape[depthA]! >= SMALLEST_PRODUCT;
  const [x, y] = isNarrow ? [convert(p, a, TF_BFLOAT16), convert(p, b, TF_BFLOAT16)] : [a, b];
  const stack = Array.from({ length: batch }, (_, i) => i).join(', ');
  const batching = batch === 0 ? '' : `batching_dims = [${stack}] x [${stack}], `;
  // Float32 stays float32 on devices that would round to TF32.
  const isExact = x.dtype === TF_FLOAT && !p.arithmetic.tf32;
  const precision = isExact ? ', precision = [HIGHEST, HIGHEST]' : '';
  const result = p.write(
    x.dtype,
    shape,
    `stablehlo.dot_general ${p.ref(x)}, ${p.ref(y)}, ${batching}contracting_dims = [${depthA}] x [${depthB}]${precision} : ` +
      `(${typeOf(x)}, ${typeOf(y)}) -> ${typeText(x.dtype, shape)}`,
  );
  return convert(p, result, a.dtype);
}

/** Matrix products. */
export const products: Readonly<Record<string, Translation>> = {
  BatchMatMulV2: (p, [a, b], attribute) => {
    const stacks = [a!, b!].map(({ shape }) => shape.slice(0, -2));
    const rank = Math.max(...stacks.map(({ length }) => length));
    const stack = Array.from({ length: rank }, (_, i) => {
      const sizes = stacks.map((shape) => shape[i - rank + shape.length] ?? 1);
      return sizes.find((size) => size !== 1) ?? 1;
    });
    const [x, y] = [a!, b!].map((term) => broadcast(p, term, [...stack, ...term.shape.slice(-2)])) as [
      Term,
      Term,
    ];
    return [product(p, x, y, attribute('adj_x') === true, attribute('adj_y') === true)];
  },
  BiasAdd: (p, [x, bias]) => [binary(p, 'add', x!, reshape(p, bias!, [sizeOf(bias!.shape)]))],
  MatMul: (p, [a, b], attribute) => [
    product(p, a!, b!, attribute('transpose_a') === true, attribute('transpose_b') === true),
  ],
};
