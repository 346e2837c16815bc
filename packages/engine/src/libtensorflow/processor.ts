import { readFileSync } from 'node:fs';

/** What Linux knows of the processor; empty elsewhere. */
export function processorInformation(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** The processor's instructions, in one line; undefined where Linux does not tell them. */
export const processorFeatures = (): string | undefined =>
  /^(?:flags|Features)\s*:.*$/m.exec(processorInformation())?.[0];

/** Instructions that multiply in bfloat16: Intel's and AMD's AVX-512 and AMX, ARM's own. */
export const hasBfloat16 = (): boolean => /\b(avx512_bf16|amx_bf16|bf16)\b/.test(processorInformation());

/**
 * Whether XLA's products in bfloat16 are as fast as those of TensorFlow here, which was seen with AVX-512 BF16 alone. With AMX
 * they were not tried; without either they are slow.
 */
export function compilesBfloat16(): boolean {
  const known = processorInformation();
  return /\bavx512_bf16\b/.test(known) && !/\bamx_bf16\b/.test(known);
}
