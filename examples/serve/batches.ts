interface Waiting<In, Out> {
  readonly item: In;
  readonly resolve: (result: Out) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs items that come one by one in batches: those that came while the batch before them ran go together. */
export class Batches<In, Out> {
  readonly #queue: Waiting<In, Out>[] = [];
  /** Settles when nothing waits any more. */
  done: Promise<void> = Promise.resolve();
  #working = false;

  constructor(
    private readonly run: (items: readonly In[]) => Promise<readonly Out[]>,
    private readonly size: number,
  ) {}

  get waiting(): number {
    return this.#queue.length;
  }

  add(item: In): Promise<Out> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (!this.#working) this.done = this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    await new Promise(setImmediate); // the other items of the same request
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.size);
      try {
        const results = await this.run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index]!);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#working = false;
  }
}
