import { setImmediate } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import type { EncodeOptions, Encoding, Texts, Tokenizer, WordEncoding } from './tokenizer.js';

/** How many texts are encoded: with word of the progress, and ends that encoding alone does not have. */
export interface EncodeAllOptions extends EncodeOptions {
  /** Called after every 256 texts, and at the end. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends the encoding with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds that 256 texts may take (default 60): a pattern of a tokenizer.json can be one that hardly ends. */
  readonly timeLimit?: number;
}

/** A text that is split into words already. */
export interface Words {
  readonly words: readonly string[];
}

const isWords = (example: Texts | Words): example is Words =>
  typeof example === 'object' && 'words' in example;

const TEXTS_AT_ONCE = 256;
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

/**
 * Encodes many texts without holding the process: between every 256 others come to their turn, and within them a SIGINT or
 * the time limit breaks even a regular expression that runs on. Throws an error that names the text at the limit, or
 * the signal's reason. Node.js alone.
 */
export async function encodeAll<T extends Texts | Words>(
  tokenizer: Tokenizer,
  examples: readonly T[],
  options: EncodeAllOptions = {},
): Promise<(T extends Words ? WordEncoding : Encoding)[]> {
  const { onProgress, signal, timeLimit = 60, ...rest } = options;
  const encodings: Encoding[] = [];
  let end = 0;
  // A script is what Node.js can break off; the function that it calls is ours.
  const run = (): void => {
    while (encodings.length < end) {
      const example: Texts | Words = examples[encodings.length]!;
      encodings.push(
        ...(isWords(example)
          ? tokenizer.encodeWords([example.words], rest)
          : tokenizer.encode([example], rest)),
      );
    }
  };
  const context = createContext({ run });
  const script = new Script('run()');
  while (end < examples.length) {
    signal?.throwIfAborted();
    end = Math.min(end + TEXTS_AT_ONCE, examples.length);
    try {
      script.runInContext(context, { timeout: Math.ceil(timeLimit * 1000), breakOnSigint: true });
    } catch (error) {
      if (codeOf(error) === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
        // Whoever listens to the signal, or Node.js if nobody does, decides what it means.
        if (!process.emit('SIGINT', 'SIGINT')) process.kill(process.pid, 'SIGINT');
        signal?.throwIfAborted();
      }
      if (codeOf(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new Error(
        `text ${encodings.length + 1} of ${examples.length} could not be tokenized within ${timeLimit} s; ` +
          'shorten it, or check the patterns (Regex) of the tokenizer.json',
        { cause: error },
      );
    }
    onProgress?.(end, examples.length);
    await setImmediate();
  }
  return encodings as (T extends Words ? WordEncoding : Encoding)[];
}
