/** What tapable keeps of a tap. */
export interface TapInfo {
  readonly name: string;
  readonly stage?: number;
}

/** The taps of a hook, in their order. */
export function tapsOf(hook: object): readonly TapInfo[] {
  return (hook as { taps: readonly TapInfo[] }).taps;
}

/** Whether anybody taps it; tapable's own `isUsed` counts interceptors, which every hook here has. */
export function isTapped(hook: object): boolean {
  return tapsOf(hook).length > 0;
}

/** Names of the taps at a stage of a hook. */
export function tapsAt(hook: object, stage: number): string[] {
  return tapsOf(hook).flatMap((tap) => ((tap.stage ?? 0) === stage ? [tap.name] : []));
}
