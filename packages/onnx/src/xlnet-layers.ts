import {
  type RelativeSinusoidsConfig,
  type SequenceSummaryConfig,
  type XlnetBlockConfig,
  sinusoidFrequencies,
} from '@hypetune/models/layers';
import { ACTIVATIONS } from './activations.js';
import {
  attentionBias,
  attentionByScores,
  causalBias,
  products,
  relativeScores,
  splitHeads,
} from './attention.js';
import { clipped } from './bert-layers.js';
import type { Graph, Value } from './graph.js';
import type { LayerWriter } from './layer-writer.js';
import { distances } from './lengths.js';
import { meanToken, outermostToken } from './pooling.js';

/** Sines, then cosines, of distances T, T - 1, ..., 1 - T: [2 T, H]. */
export function relativeSinusoids(
  { graph }: LayerWriter,
  { hiddenSize, farthest }: RelativeSinusoidsConfig,
  [ids]: readonly [Value],
): Value {
  const half = hiddenSize / 2;
  const frequencies = graph.constant('frequencies of distances', () =>
    graph.floats(sinusoidFrequencies(hiddenSize), [half], 'float'),
  );
  const all = distances(graph, ids, 'descending');
  const near = farthest > 0 ? clipped(graph, all, farthest) : all;
  const column = graph.reshape(graph.cast(near, 'float'), -1, 1);
  const angles = graph.add('Mul', [column, frequencies]);
  const vectors = graph.add('Concat', [graph.add('Sin', [angles]), graph.add('Cos', [angles])], { axis: -1 });
  return graph.float === 'float' ? vectors : graph.cast(vectors, 'float16');
}

/** a = LayerNorm(x + Attention(x) Wo), y = LayerNorm(a + f(a W1) W2) with relative attention. */
export function xlnetBlock(
  writer: LayerWriter,
  { heads, hiddenSize, causal, activation, epsilon }: XlnetBlockConfig,
  [hidden, mask, types, positions]: readonly [Value, Value, Value, Value],
): Value {
  const { graph } = writer;
  const size = hiddenSize / heads;
  const query = writer.product('rel_attn.q', hidden);
  const scaled = (name: 'r_w_bias' | 'r_r_bias' | 'r_s_bias'): Value => {
    const bias = graph.reshape(writer.weight(`rel_attn.${name}`), hiddenSize);
    const scale = graph.number(Math.sqrt(1 / size));
    return splitHeads(graph, graph.add('Mul', [graph.add('Add', [query, bias]), scale]), heads);
  };
  const key = splitHeads(graph, writer.product('rel_attn.k', hidden), heads);
  const content = products(graph, scaled('r_w_bias'), key);
  const vectors = writer.product('rel_attn.r', positions);
  const position = relativeScores(graph, scaled('r_r_bias'), vectors, mask, { heads, size });
  // What all keys of a query have in common, the softmax cancels: so the keys of another type get the difference.
  const contrast = writer.derived('rel_attn.seg_embed.contrast', [heads, size, 1], () => {
    const both = writer.read('rel_attn.seg_embed');
    return Float32Array.from({ length: hiddenSize }, (_, i) => both[hiddenSize + i]! - both[i]!);
  });
  const ofQuery = graph.add('MatMul', [scaled('r_s_bias'), contrast]); // [B, heads, T, 1]
  const segment = graph.add('Mul', [ofQuery, otherType(graph, types)]);
  const own = graph.add('Add', [graph.add('Add', [content, position]), segment]);
  const masked = graph.add('Add', [own, attentionBias(graph, mask)]);
  const scores = causal ? graph.add('Add', [masked, causalBias(graph, mask)]) : masked;
  const value = splitHeads(graph, writer.product('rel_attn.v', hidden), heads);
  const context = attentionByScores(graph, scores, value, hiddenSize);
  const sum = graph.add('Add', [writer.product('rel_attn.o', context), hidden]);
  const attended = writer.norm('rel_attn.layer_norm', sum, epsilon);
  const inner = ACTIVATIONS[activation](graph, writer.linear('ff.layer_1', attended));
  const outer = graph.add('Add', [writer.linear('ff.layer_2', inner), attended]);
  return writer.norm('ff.layer_norm', outer, epsilon);
}

/** 1 where query and key have different token types: [B, 1, T, T]. */
function otherType(graph: Graph, types: Value): Value {
  return graph.once('other type', () => {
    const ofQueries = graph.add('Unsqueeze', [types, graph.list(1, 3)]);
    const ofKeys = graph.add('Unsqueeze', [types, graph.list(1, 2)]);
    return graph.cast(graph.add('Not', [graph.add('Equal', [ofQueries, ofKeys])]), graph.float);
  });
}

/** f(h W + b) of a row's last token, first token or mean. */
export function sequenceSummary(
  writer: LayerWriter,
  { kind, projected, activation }: SequenceSummaryConfig,
  [hidden, mask]: readonly [Value, Value],
): Value {
  const { graph } = writer;
  const taken = kind === 'mean' ? meanToken(graph, hidden, mask) : outermostToken(graph, hidden, mask, kind);
  const summary = projected ? writer.linear('summary', taken) : taken;
  return activation ? ACTIVATIONS[activation](graph, summary) : summary;
}
