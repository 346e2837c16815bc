import {
  type GradSaveFunc,
  type Tensor,
  cast,
  clone,
  customGrad,
  expandDims,
  gather,
  mul,
  notEqual,
} from '@tensorflow/tfjs-core';

/** 1 where a token is no padding, else 0, float32: [B, T] -> [B, T]. */
export function realTokens(ids: Tensor, paddingId: number): Tensor {
  return cast(notEqual(ids, paddingId), 'float32');
}

/** The rows of a table for `ids` [B, T]: [B, T, H]. The padding's row gets no gradient, as in `transformers`. */
export function tokenLookup(table: Tensor, ids: Tensor, paddingId: number): Tensor {
  return withoutPaddingGradient(gather(table, ids), realTokens(ids, paddingId));
}

/** `vectors` [B, T, H] as they are; their gradient is 0 where `real` [B, T] is. */
export function withoutPaddingGradient(vectors: Tensor, real: Tensor): Tensor {
  const operation = customGrad((x, save) => {
    (save as GradSaveFunc)([expandDims(real, -1)]);
    return {
      value: clone(x as Tensor),
      gradFunc: (gradient: Tensor, [kept]: Tensor[]) => mul(gradient, kept!),
    };
  });
  return operation(vectors);
}
