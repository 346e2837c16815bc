/** A source that could not be had: what was tried, in order, and what the user can do. */
export class SourceError extends Error {
  constructor(
    readonly source: string,
    readonly tried: readonly string[],
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(
      `${source}: ${['out of reach. Tried:', ...tried.map((line) => `  - ${line}`), remedy].join('\n')}`,
      options,
    );
    this.name = 'SourceError';
  }
}
