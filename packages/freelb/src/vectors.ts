import type { Batch, PluginHost } from '@hypetune/core';

/** Shape of what `afterEmbedding` sees for a batch: that of the first input, and the table's width if there is one. */
export function vectorShape(host: PluginHost, { inputs }: Batch): number[] {
  const table = host.hasTokenTable && host.parameters.find(({ role }) => role === 'embedding');
  return [...inputs[0]!.shape, ...(table ? [table.shape.at(-1)!] : [])];
}
