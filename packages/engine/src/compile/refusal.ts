/**
 * The operations that XLA names when it refuses a function, as in "Detected unsupported operations when trying to compile
 * graph step_0: Dilation2D (No registered 'Dilation2D' OpKernel for XLA_CPU_JIT devices ...". Empty if none is named.
 */
export function refusedOperations(message: string): string[] {
  const names = new Set<string>();
  for (const [, name] of message.matchAll(/No registered '(\w+)' OpKernel/g)) names.add(name!);
  for (const [, name] of message.matchAll(/\{\{node \w+\}\} = (\w+)/g)) names.add(name!);
  for (const [, name] of message.matchAll(/\((\w+)\): input '?\w+'? .*must be a compile-time constant/gi))
    names.add(name!);
  for (const [, name] of message.matchAll(
    /Input \d+ to node `?\w+`? with op (\w+) must be a compile-time constant/g,
  ))
    names.add(name!);
  return [...names];
}
