import { isMainThread } from 'node:worker_threads';

const OPTIONS = '--xla_backend_extra_options';
const MERGE_LOOPS = `${OPTIONS}=xla_cpu_use_multi_output_fusion=true`;

/**
 * Has XLA merge loops on a CPU that read the same tensors, which it does not by itself, and tells whether it will. Not
 * before TensorFlow 2.21, where it was not measured, nor with extra options of the user's own, which stand, nor in a worker
 * thread, whose environment stays in JavaScript. To be called before anything is compiled: XLA reads its flags once.
 */
export function mergeLoops(version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  if (major !== 2 || minor < 21) return false;
  const flags = process.env['XLA_FLAGS'] ?? '';
  if (isMainThread && !flags.includes(OPTIONS)) process.env['XLA_FLAGS'] = `${flags} ${MERGE_LOOPS}`.trim();
  return (process.env['XLA_FLAGS'] ?? '').includes(MERGE_LOOPS);
}

/** XLA's flags as the user has set them. */
export function userFlags(): string {
  return (process.env['XLA_FLAGS'] ?? '').replace(MERGE_LOOPS, '').trim();
}
