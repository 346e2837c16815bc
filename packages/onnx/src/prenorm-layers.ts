import {
  type AttentionBiasConfig,
  type DensePoolerConfig,
  type EuroBertBlockConfig,
  type FinalNormalizationConfig,
  type ModernBertBlockConfig,
  type ModernBertEmbeddingsConfig,
  type PredictionHeadConfig,
  type RotaryAnglesConfig,
  rotaryFrequencies,
} from '@hypetune/models/layers';
import { ACTIVATIONS } from './activations.js';
import { attentionBias, attentionByScores, products, splitHeads } from './attention.js';
import type { Graph, Value } from './graph.js';
import type { LayerWriter } from './layer-writer.js';
import { places } from './lengths.js';
import { firstToken, meanToken } from './pooling.js';

/** The bias of the scores that blocks share. */
export function sharedBias(
  { graph }: LayerWriter,
  { window }: AttentionBiasConfig,
  [mask]: readonly [Value],
): Value {
  return attentionBias(graph, mask, window ?? undefined);
}

/** The angles p / theta^(2 i / size) of the positions p, once for each half of the features: float32 [T, 1, size]. */
export function rotaryAngles(
  { graph }: LayerWriter,
  { theta, headSize }: RotaryAnglesConfig,
  [tokens]: readonly [Value],
): Value {
  const half = headSize / 2;
  const frequencies = graph.constant(`rotary frequencies of ${theta}, ${half}`, () =>
    graph.floats(rotaryFrequencies(theta, half), [half], 'float'),
  );
  const positions = graph.reshape(graph.cast(places(graph, tokens), 'float'), -1, 1, 1);
  const angles = graph.add('Mul', [positions, frequencies]);
  return graph.add('Concat', [angles, angles], { axis: -1 });
}

/** Each pair of features i and i + size / 2 of each head turned: x [B, T, heads size] -> [B, heads, T, size]. */
function rotate(graph: Graph, x: Value, angles: Value, heads: number, size: number): Value {
  const turn = (op: 'Cos' | 'Sin'): Value =>
    graph.once(`${op} of ${angles}`, () => {
      const wide = graph.add(op, [angles]);
      return graph.float === 'float' ? wide : graph.cast(wide, 'float16');
    });
  const split = graph.reshape(x, 0, 0, heads, size);
  const [first, second] = graph.addAll('Split', [split, graph.list(size / 2, size / 2)], 2, { axis: -1 });
  const crossed = graph.add('Concat', [graph.add('Neg', [second!]), first!], { axis: -1 });
  const turned = graph.add('Add', [
    graph.add('Mul', [split, turn('Cos')]),
    graph.add('Mul', [crossed, turn('Sin')]),
  ]);
  return graph.transpose(turned, 0, 2, 1, 3);
}

/** LayerNorm(token). */
export function modernBertEmbeddings(
  writer: LayerWriter,
  { epsilon }: ModernBertEmbeddingsConfig,
  [ids]: readonly [Value, Value],
): Value {
  return writer.norm('norm', writer.lookup('tok_embeddings.weight', ids), epsilon);
}

/** a = x + Attention(LayerNorm(x)) Wo, y = a + (f(u) v) Wo', [u, v] = LayerNorm(a) Wi. */
export function modernBertBlock(
  writer: LayerWriter,
  { hiddenSize, intermediateSize, heads, activation, epsilon, attentionNorm }: ModernBertBlockConfig,
  [hidden, bias, angles]: readonly [Value, Value, Value],
): Value {
  const { graph } = writer;
  const parts = (x: Value, size: number, count: number): Value[] =>
    graph.addAll('Split', [x, graph.list(...Array<number>(count).fill(size))], count, { axis: -1 });
  const entering = attentionNorm ? writer.norm('attn_norm', hidden, epsilon) : hidden;
  const [query, key, value] = parts(writer.linear('attn.Wqkv', entering), hiddenSize, 3);
  const context = attention(graph, bias, hiddenSize, {
    query: rotate(graph, query!, angles, heads, hiddenSize / heads),
    key: rotate(graph, key!, angles, heads, hiddenSize / heads),
    value: splitHeads(graph, value!, heads),
    size: hiddenSize / heads,
  });
  const attended = graph.add('Add', [hidden, writer.linear('attn.Wo', context)]);
  const between = writer.norm('mlp_norm', attended, epsilon);
  const [input, gate] = parts(writer.linear('mlp.Wi', between), intermediateSize, 2);
  const inner = graph.add('Mul', [ACTIVATIONS[activation](graph, input!), gate!]);
  return graph.add('Add', [attended, writer.linear('mlp.Wo', inner)]);
}

/** a = x + Attention(Norm(x)) Wo, y = a + (f(n Wg) (n Wu)) Wd, n = Norm(a), Norm by the root mean square. */
export function euroBertBlock(
  writer: LayerWriter,
  { heads, keyHeads, headSize, epsilon, activation }: EuroBertBlockConfig,
  [hidden, bias, angles]: readonly [Value, Value, Value],
): Value {
  const { graph } = writer;
  const entering = writer.normSquares('input_layernorm.weight', hidden, epsilon);
  const dense = (name: string): Value => writer.linear(`self_attn.${name}`, entering);
  const forQueries = (x: Value): Value => repeatHeads(graph, x, heads, keyHeads, headSize);
  const context = attention(graph, bias, heads * headSize, {
    query: rotate(graph, dense('q_proj'), angles, heads, headSize),
    key: forQueries(rotate(graph, dense('k_proj'), angles, keyHeads, headSize)),
    value: forQueries(splitHeads(graph, dense('v_proj'), keyHeads)),
    size: headSize,
  });
  const attended = graph.add('Add', [hidden, writer.linear('self_attn.o_proj', context)]);
  const between = writer.normSquares('post_attention_layernorm.weight', attended, epsilon);
  const gate = ACTIVATIONS[activation](graph, writer.linear('mlp.gate_proj', between));
  const inner = graph.add('Mul', [gate, writer.linear('mlp.up_proj', between)]);
  return graph.add('Add', [attended, writer.linear('mlp.down_proj', inner)]);
}

/** Each key head as often as query heads share it: [B, keyHeads, T, size] -> [B, heads, T, size]. */
function repeatHeads(graph: Graph, x: Value, heads: number, keyHeads: number, size: number): Value {
  if (heads === keyHeads) return x;
  const between = graph.add('Unsqueeze', [x, graph.list(2)]); // [B, keyHeads, 1, T, size]
  const repeated = graph.add('Expand', [between, graph.list(1, 1, heads / keyHeads, 1, 1)]);
  // The length is what remains; batch is kept, and heads are known.
  const flat = graph.transpose(repeated, 0, 3, 1, 2, 4); // [B, T, keyHeads, shared, size]
  return graph.transpose(graph.reshape(flat, 0, 0, heads, size), 0, 2, 1, 3);
}

interface Heads {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** Features of one head. */
  readonly size: number;
}

function attention(graph: Graph, bias: Value, features: number, { query, key, value, size }: Heads): Value {
  const scaled = graph.add('Mul', [query, graph.number(Math.sqrt(1 / size))]);
  const scores = graph.add('Add', [products(graph, scaled, key), bias]);
  return attentionByScores(graph, scores, value, features);
}

/** The normalization after the last block. */
export function finalNormalization(
  writer: LayerWriter,
  { kind, epsilon }: FinalNormalizationConfig,
  [hidden]: readonly [Value],
): Value {
  const { graph } = writer;
  if (kind === 'squares') return writer.normSquares('weight', hidden, epsilon);
  const weights = ['weight', ...(kind === 'layer' ? ['bias'] : [])].map((name) => writer.weight(name));
  return graph.add('LayerNormalization', [hidden, ...weights], { axis: -1, epsilon: { float: epsilon } });
}

/** LayerNorm(f(h W)) of the first token, of the mean of all or of each. */
export function predictionHead(
  writer: LayerWriter,
  { pooling, activation, epsilon }: PredictionHeadConfig,
  [hidden, mask]: readonly [Value, Value],
): Value {
  const { graph } = writer;
  const pooled =
    pooling === 'none'
      ? hidden
      : pooling === 'cls'
        ? firstToken(graph, hidden)
        : meanToken(graph, hidden, mask);
  return writer.norm('norm', ACTIVATIONS[activation](graph, writer.linear('dense', pooled)), epsilon);
}

/** gelu(h W + b) of the first token, of the mean of all tokens, or the mean of all tokens' results. */
export function densePooler(
  writer: LayerWriter,
  { pooling }: DensePoolerConfig,
  [hidden, mask]: readonly [Value, Value],
): Value {
  const { graph } = writer;
  const dense = (x: Value): Value => ACTIVATIONS.gelu(graph, writer.linear('', x));
  if (pooling === 'late') return meanToken(graph, dense(hidden), mask);
  return dense(pooling === 'bos' ? firstToken(graph, hidden) : meanToken(graph, hidden, mask));
}
