/** What tapable keeps of a tap. */
export interface TapInfo {
  readonly name: string;
  readonly stage?: number;
}

/** The taps of a hook, in their order. */
export function tapsOf(hook: object): readonly TapInfo[] {
  return (hook as { taps: readonly TapInfo[] }).taps;
}

/** Whether anybody, or one of `plugins`, taps it; tapable's own `isUsed` counts interceptors, which every hook here has. */
export function isTapped(hook: object, plugins?: ReadonlySet<string>): boolean {
  return tapsOf(hook).some(({ name }) => !plugins || plugins.has(name));
}

/** What the taps of a hook make of a value; those of `plugins` alone, if given. */
export function callTaps<T, C extends unknown[]>(
  hook: { call(value: T, ...context: C): T },
  plugins: ReadonlySet<string> | undefined,
  value: T,
  ...context: C
): T {
  if (!plugins) return hook.call(value, ...context);
  const taps = tapsOf(hook) as readonly (TapInfo & { fn: (value: T, ...context: C) => T })[];
  return taps.reduce((now, { name, fn }) => (plugins.has(name) ? fn(now, ...context) : now), value);
}

/** Names of the taps at a stage of a hook. */
export function tapsAt(hook: object, stage: number): string[] {
  return tapsOf(hook).flatMap((tap) => ((tap.stage ?? 0) === stage ? [tap.name] : []));
}
