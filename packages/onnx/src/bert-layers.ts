import {
  BERT_BLOCK,
  type BertEmbeddingsConfig,
  type BertPoolerConfig,
  type BlockNames,
  type DenseClassificationHeadConfig,
  FARTHEST,
  type RelativePositionBiasConfig,
  type TransformerBlockConfig,
  distanceBucket,
} from '@hypetune/models/layers';
import { ACTIVATIONS } from './activations.js';
import { attentionBias, attentionByScores, products, splitHeads } from './attention.js';
import { type Graph, type Value, integers } from './graph.js';
import type { LayerWriter } from './layer-writer.js';
import { keyDistances, lengthOf } from './lengths.js';
import { firstToken } from './pooling.js';

/** LayerNorm(token + token type + position). */
export function bertEmbeddings(
  writer: LayerWriter,
  config: BertEmbeddingsConfig,
  [ids, types]: readonly [Value, Value],
): Value {
  const { graph } = writer;
  const { tokenTypes, counting, paddingId, epsilon } = config;
  let hidden = writer.lookup('word_embeddings.weight', ids);
  if (tokenTypes > 0) {
    const table = writer.weight('token_type_embeddings.weight');
    hidden = graph.add('Add', [hidden, tokenTypes === 1 ? table : graph.add('Gather', [table, types])]);
  }
  const positions = writer.weight('position_embeddings.weight');
  const vectors =
    counting === 'place'
      ? graph.slice(positions, graph.list(0), lengthOf(graph, ids), 0)
      : graph.add('Gather', [positions, countedPositions(graph, ids, paddingId)]);
  return writer.norm('LayerNorm', graph.add('Add', [hidden, vectors]), epsilon);
}

/** Tokens counted without padding from the padding's id plus one on; padding has its id: [B, T]. */
function countedPositions(graph: Graph, ids: Value, paddingId: number): Value {
  const padding = graph.add('Equal', [ids, graph.integer(paddingId)]);
  const real = graph.cast(graph.add('Not', [padding]), 'int64');
  const counts = graph.add('Mul', [graph.add('CumSum', [real, graph.integer(1)]), real]);
  return graph.add('Add', [counts, graph.integer(paddingId)]);
}

/** A number for each head and distance of key and query: [1, heads, T, T]. */
export function relativePositionBias(
  writer: LayerWriter,
  { buckets }: RelativePositionBiasConfig,
  [tokens]: readonly [Value],
): Value {
  const { graph } = writer;
  const bucketed = graph.constant('buckets of distances', () => {
    const numbers = Array.from({ length: 2 * FARTHEST + 1 }, (_, i) => distanceBucket(i - FARTHEST, buckets));
    return integers(numbers, [numbers.length]);
  });
  const near = clipped(graph, keyDistances(graph, tokens), FARTHEST);
  const rows = graph.add('Gather', [bucketed, graph.add('Add', [near, graph.integer(FARTHEST)])]);
  const values = graph.transpose(graph.add('Gather', [writer.weight('weight'), rows]), 2, 0, 1);
  return graph.add('Unsqueeze', [values, graph.list(0)]);
}

/** Integers, none farther from 0 than `most`. */
export function clipped(graph: Graph, x: Value, most: number): Value {
  return graph.add('Max', [graph.add('Min', [x, graph.integer(most)]), graph.integer(-most)]);
}

/** a = LayerNorm(x + Attention(x) Wo), y = LayerNorm(a + f(a W1) W2). */
export function transformerBlock(
  writer: LayerWriter,
  config: TransformerBlockConfig,
  [hidden, mask, scoreBias]: readonly [Value, Value, Value?],
): Value {
  const { graph } = writer;
  const { names = BERT_BLOCK, heads, hiddenSize } = config;
  const split = (part: 'query' | 'key' | 'value'): Value =>
    splitHeads(graph, writer.linear(names[part], hidden), heads);
  const scale = graph.number(Math.sqrt(heads / hiddenSize));
  const scores = products(graph, graph.add('Mul', [split('query'), scale]), split('key'));
  const biased = scoreBias === undefined ? scores : graph.add('Add', [scores, scoreBias]);
  const masked = graph.add('Add', [biased, attentionBias(graph, mask)]);
  const context = attentionByScores(graph, masked, split('value'), hiddenSize);
  return blockOutput(writer, config, names, hidden, context);
}

/** The half of a block behind its attention. */
export function blockOutput(
  writer: LayerWriter,
  { epsilon, activation }: Pick<TransformerBlockConfig, 'epsilon' | 'activation'>,
  names: BlockNames,
  hidden: Value,
  context: Value,
): Value {
  const { graph } = writer;
  const sum = graph.add('Add', [writer.linear(names.projection, context), hidden]);
  const attended = writer.norm(names.attentionNorm, sum, epsilon);
  const inner = ACTIVATIONS[activation](graph, writer.linear(names.inner, attended));
  return writer.norm(
    names.outputNorm,
    graph.add('Add', [writer.linear(names.outer, inner), attended]),
    epsilon,
  );
}

/** tanh(h W + b) of the first token. */
export function bertPooler(
  writer: LayerWriter,
  { part = 'dense.' }: BertPoolerConfig,
  [hidden]: readonly [Value],
): Value {
  const pooled = writer.linear(part.replace(/\.$/, ''), firstToken(writer.graph, hidden));
  return writer.graph.add('Tanh', [pooled]);
}

/** f(h W1 + b1) W2 + b2 of the first token. */
export function denseClassificationHead(
  writer: LayerWriter,
  { activation }: DenseClassificationHeadConfig,
  [hidden]: readonly [Value],
): Value {
  const inner = writer.linear('dense', firstToken(writer.graph, hidden));
  return writer.linear('out_proj', ACTIVATIONS[activation](writer.graph, inner));
}
