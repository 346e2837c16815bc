/** Decoders and encoder-decoders that people try, by `model_type` (a part of it for the many versions of one). */
const DECODERS =
  /^(gpt|llama|mistral|mixtral|qwen|gemma|phi|opt$|bloom|falcon|mamba|deepseek|olmo|smollm|stablelm|starcoder|codegen|cohere|ctrl$|granite|glm|chatglm|exaone|rwkv|modernbert-decoder)/;
const ENCODER_DECODERS =
  /^(t5|mt5|umt5|longt5|bart|mbart|pegasus|m2m|marian|led|blenderbot|prophetnet|whisper)/;

/** Why a configuration is of no model that can be tuned here, in one line with what to use instead; undefined: it may be. */
export function refusal(
  config: Readonly<Record<string, unknown>>,
  families: readonly string[],
): string | undefined {
  const { model_type: type, quantization_config: quantized, auto_map: remote } = config;
  const instead = `use an encoder of ${families.join(', ')}`;
  if (typeof type !== 'string' || !families.includes(type)) {
    const given = JSON.stringify(type);
    const wanted = `model_type must be one of ${families.join(', ')} (the architectures supported so far), got ${given}`;
    if (typeof type !== 'string') return wanted;
    if (DECODERS.test(type)) return `${wanted}, a decoder, which reads from left to right alone; ${instead}`;
    if (ENCODER_DECODERS.test(type)) return `${wanted}, an encoder-decoder; ${instead}`;
    if (remote) return `${wanted}, whose code comes with the model (auto_map) and is never run; ${instead}`;
    return wanted;
  }
  if (config.is_decoder)
    return `is_decoder must be false, got true: a decoder reads from left to right alone; ${instead}`;
  if (quantized) {
    const { quant_method: method } = quantized as { quant_method?: unknown };
    const how = typeof method === 'string' ? ` (${method})` : '';
    return `the weights are quantised${how} and cannot be trained; use the model that they were made from`;
  }
  return undefined;
}
