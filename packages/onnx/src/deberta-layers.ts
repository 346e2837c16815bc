import {
  BERT_BLOCK,
  type ContextPoolerConfig,
  type DebertaBlockConfig,
  type DebertaConvolutionConfig,
  type DebertaEmbeddingsConfig,
  type RelativeRowsConfig,
  type RelativeTableConfig,
  relativeRow,
} from '@hypetune/models/layers';
import { ACTIVATIONS } from './activations.js';
import { attentionBias, attentionByScores, products, relativeScores, splitHeads } from './attention.js';
import { blockOutput, clipped } from './bert-layers.js';
import { type Graph, type Value, integers } from './graph.js';
import type { LayerWriter } from './layer-writer.js';
import { distances, lengthOf } from './lengths.js';
import { firstToken } from './pooling.js';

/** mask * LayerNorm(token (+ position) (+ token type)). */
export function debertaEmbeddings(
  writer: LayerWriter,
  { positions, tokenTypes, embeddingSize, hiddenSize, epsilon }: DebertaEmbeddingsConfig,
  [ids, types, mask]: readonly [Value, Value, Value],
): Value {
  const { graph } = writer;
  let hidden = writer.lookup('word_embeddings.weight', ids);
  if (positions > 0) {
    const table = writer.weight('position_embeddings.weight');
    hidden = graph.add('Add', [hidden, graph.slice(table, graph.list(0), lengthOf(graph, ids), 0)]);
  }
  if (tokenTypes > 0) {
    const table = writer.weight('token_type_embeddings.weight');
    hidden = graph.add('Add', [hidden, graph.add('Gather', [table, types])]);
  }
  if (embeddingSize !== hiddenSize) hidden = writer.linear('embed_proj', hidden);
  return graph.add('Mul', [writer.norm('LayerNorm', hidden, epsilon), real(graph, mask)]);
}

/** 1 at tokens, 0 at padding: [B, T, 1]. */
function real(graph: Graph, mask: Value): Value {
  return graph.once('real tokens', () =>
    graph.add('Unsqueeze', [graph.cast(mask, graph.float), graph.list(2)]),
  );
}

/** The vectors of all relative positions: [2 span, H]. */
export function relativeTable(writer: LayerWriter, { normalized, epsilon }: RelativeTableConfig): Value {
  const table = writer.weight('rel_embeddings.weight');
  return normalized ? writer.norm('LayerNorm', table, epsilon) : table;
}

/** The rows of `vectors` [2 span, H] for each of the distances that {@link distances} lists: [2 T, H]. */
function byDistance(
  graph: Graph,
  vectors: Value,
  config: RelativeRowsConfig,
  tokens: Value,
  order: 'ascending' | 'descending',
): Value {
  const rows = graph.once(`rows of distances ${order}`, () => {
    const farthest = farthestRow(config);
    const table = graph.constant('rows of distances', () => {
      const each = Array.from({ length: 2 * farthest + 1 }, (_, i) => relativeRow(i - farthest, config));
      return integers(each, [each.length]);
    });
    const near = clipped(graph, distances(graph, tokens, order), farthest);
    return graph.add('Gather', [table, graph.add('Add', [near, graph.integer(farthest)])]);
  });
  return graph.add('Gather', [vectors, rows]);
}

/** The distance from which on all have the outermost rows, or, where it is less, the largest that there is. */
function farthestRow(config: RelativeRowsConfig): number {
  const { span, maxDistance } = config;
  const largest = Math.max(span, maxDistance);
  const isOutermost = (distance: number): boolean =>
    relativeRow(distance, config) === 2 * span - 1 && relativeRow(-distance, config) === 0;
  let distance = 1;
  while (distance < largest && !isOutermost(distance)) distance++;
  return distance;
}

/** A block of BERT's whose attention is disentangled. */
export function debertaBlock(
  writer: LayerWriter,
  config: DebertaBlockConfig,
  [hidden, mask, vectors]: readonly [Value, Value, Value?],
): Value {
  const { graph } = writer;
  const { heads, hiddenSize, terms } = config;
  const size = hiddenSize / heads;
  const { query, key, value } = config.fused ? fusedTokens(writer, config, hidden) : tokens();
  const scale = graph.number(Math.sqrt(1 / (size * (1 + terms.length))));
  const scaled = graph.add('Mul', [query, scale]);
  const relative = (x: Value, projected: Value, order: 'ascending' | 'descending'): Value =>
    relativeScores(graph, x, byDistance(graph, projected, config, mask, order), mask, { heads, size });
  let scores = products(graph, scaled, key);
  if (vectors !== undefined && terms.includes('c2p')) {
    const keys = position(vectors, 'pos_proj', config.shared ? 'key_proj' : 'pos_key_proj');
    scores = graph.add('Add', [scores, relative(scaled, keys, 'descending')]);
  }
  if (vectors !== undefined && terms.includes('p2c')) {
    const queries = position(vectors, 'pos_q_proj', config.shared ? 'query_proj' : 'pos_query_proj');
    // Seen from the key, distances have the other sign.
    const seenFromKeys = relative(graph.add('Mul', [key, scale]), queries, 'ascending');
    scores = graph.add('Add', [scores, graph.transpose(seenFromKeys, 0, 1, 3, 2)]);
  }
  const masked = graph.add('Add', [scores, attentionBias(graph, mask)]);
  const context = attentionByScores(graph, masked, value, hiddenSize);
  return blockOutput(writer, config, BERT_BLOCK, hidden, context);

  function tokens(): Projected {
    const project = (name: string): Value =>
      splitHeads(graph, writer.linear(`attention.self.${name}`, hidden), heads);
    return { query: project('query_proj'), key: project('key_proj'), value: project('value_proj') };
  }

  function position(table: Value, first: string, second: string): Value {
    return writer.linear(`attention.self.${config.fused ? first : second}`, table);
  }
}

/** Each [B, heads, T, size]. */
interface Projected {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** The first DeBERTa's: head by head one kernel has the columns of its query, its key and its value; keys have no bias. */
function fusedTokens(
  writer: LayerWriter,
  { heads, hiddenSize }: DebertaBlockConfig,
  hidden: Value,
): Projected {
  const { graph } = writer;
  const size = hiddenSize / heads;
  const all = graph.reshape(writer.linear('attention.self.in_proj', hidden), 0, 0, heads, 3 * size);
  const parts = graph.addAll('Split', [all, graph.list(size, size, size)], 3, { axis: -1 });
  const bias = (name: string): Value => graph.reshape(writer.weight(`attention.self.${name}`), heads, size);
  const byHead = (x: Value): Value => graph.transpose(x, 0, 2, 1, 3);
  return {
    query: byHead(graph.add('Add', [parts[0]!, bias('q_bias')])),
    key: byHead(parts[1]!),
    value: byHead(graph.add('Add', [parts[2]!, bias('v_bias')])),
  };
}

/** mask * LayerNorm(y + f(mask * conv(x))). */
export function debertaConvolution(
  writer: LayerWriter,
  { kernelSize, activation, epsilon }: DebertaConvolutionConfig,
  [x, y, mask]: readonly [Value, Value, Value],
): Value {
  const { graph } = writer;
  const around = (kernelSize - 1) / 2;
  const inputs = [graph.transpose(x, 0, 2, 1), writer.weight('conv.weight'), writer.weight('conv.bias')];
  const attributes = { kernel_shape: [kernelSize], pads: [around, around] };
  const convolved = graph.transpose(graph.add('Conv', inputs, attributes), 0, 2, 1);
  const active = ACTIVATIONS[activation](graph, graph.add('Mul', [convolved, real(graph, mask)]));
  const normalized = writer.norm('LayerNorm', graph.add('Add', [y, active]), epsilon);
  return graph.add('Mul', [normalized, real(graph, mask)]);
}

/** f(h W + b) of the first token. */
export function contextPooler(
  writer: LayerWriter,
  { activation }: ContextPoolerConfig,
  [hidden]: readonly [Value],
): Value {
  const { graph } = writer;
  return ACTIVATIONS[activation](graph, writer.linear('dense', firstToken(graph, hidden)));
}
