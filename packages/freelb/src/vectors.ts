import type { Batch, PluginHost } from '@hypetune/core';

/** Shape of what `afterEmbedding` sees for a batch: that of the first input, and the table's width if there is one. */
export function vectorShape({ tokenTable }: Pick<PluginHost, 'tokenTable'>, { inputs }: Batch): number[] {
  return [...inputs[0]!.shape, ...(tokenTable ? [tokenTable.shape.at(-1)!] : [])];
}
