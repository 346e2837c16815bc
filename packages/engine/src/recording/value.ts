import type { Values } from './data-types.js';

/** Elements up to which a tensor that came from JavaScript keeps its host copy: reading it back is then free. */
export const HOST_COPY = 65_536;

/** Where a value that has no handle of its own is kept: an unfinished recording, or a variable inside the engine. */
export interface Source {
  /** Whether the value is there already, and only has to be fetched. */
  readonly holdsValue: boolean;
  /** Gives the value a handle, or throws. */
  resolve(value: Value): void;
  /** Tells that nothing refers to the value any more. */
  release(value: Value): void;
}

/** A tensor of the engine: a handle, values still on the host, or a place in a recording. */
export interface Value {
  readonly dtype: number;
  readonly shape: number[];
  /** The engine's own pointer, as a TFE_TensorHandle; 0 while there is none. */
  handle: number;
  /** The same for the value rounded to bfloat16, made where steps want nothing else of it. */
  rounded: number;
  /** The values, as long as they are known on the host. Never changed after creation. */
  host: Values | undefined;
  source: Source | undefined;
  /** False as soon as tfjs has disposed it. */
  alive: boolean;
  /** Number of the recording in which `reference` is valid, and the value's name there. */
  recording: number;
  reference: number;
  /** Operations of an unfinished recording that still need it after tfjs has disposed it. */
  holds: number;
}

/** A value with nothing known of it but type and shape. */
export function newValue(dtype: number, shape: number[], handle: number): Value {
  return {
    dtype,
    shape,
    handle,
    rounded: 0,
    host: undefined,
    source: undefined,
    alive: true,
    recording: -1,
    reference: 0,
    holds: 0,
  };
}
