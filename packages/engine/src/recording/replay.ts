import type { Platform } from './platform.js';
import type { Source, Value } from './value.js';
import type { Recorded, Recording } from './recording.js';

/**
 * Runs the operations of a recording again through `run`, those that a live value needs, and moves the results into the
 * recorded values. Values that died are freed after their last use.
 */
export function replay(
  recording: Recording,
  run: (operation: Recorded) => readonly Value[],
  dispose: (value: Value) => void,
): void {
  const needed = neededOperations(recording);
  for (const { inputs } of needed) for (const input of inputs) input.holds++;
  for (const operation of needed) {
    for (const value of [...operation.inputs, ...operation.outputs]) {
      if (value.recording === recording.number) value.recording = -1;
    }
  }
  let held = 0;
  try {
    for (const operation of needed) {
      const { inputs, outputs } = operation;
      const results = run(operation);
      outputs.forEach((output, i) => {
        const result = results[i]!;
        if (result === output) return;
        output.handle = result.handle;
        output.host = result.host;
        output.source = result.source;
      });
      held++;
      for (const input of inputs) if (--input.holds === 0 && !input.alive) dispose(input);
      for (const output of outputs) if (!output.alive && output.holds === 0) dispose(output);
    }
  } finally {
    for (const { inputs } of needed.slice(held)) for (const input of inputs) input.holds--;
  }
}

/** The operations on which a live value depends, in order. */
function neededOperations(recording: Recording): Recorded[] {
  const wanted = new Set<Value>();
  const needed: Recorded[] = [];
  for (const operation of recording.operations.toReversed()) {
    if (!operation.outputs.some((output) => output.alive || output.holds > 0 || wanted.has(output))) continue;
    for (const input of operation.inputs) wanted.add(input);
    needed.push(operation);
  }
  return needed.reverse();
}

/** Makes every value that was not computed throw the error when it is used. */
export function poison(recording: Recording, error: Error): void {
  const source: Source = {
    holdsValue: false,
    resolve: () => {
      throw new Error(
        `This tensor was not computed, because the step that makes it failed: ${error.message}`,
        { cause: error },
      );
    },
    release: () => undefined,
  };
  for (const { outputs } of recording.operations)
    for (const output of outputs) if (output.handle === 0) output.source = source;
}

/** After a recording is computed: its values are no longer of it, and what died meanwhile is freed. */
export function finish(recording: Recording, platform: Platform): void {
  for (const feed of recording.feeds) if (!feed.alive && feed.holds === 0) platform.release(feed);
  for (const { outputs } of recording.operations) {
    for (const output of outputs) if (output.source?.holdsValue === false) output.source = undefined;
  }
}
