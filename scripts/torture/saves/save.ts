/** A place that is written again and again, each time with a higher number in it. */
export interface Save {
  write(number: number): Promise<void>;
  /** The number that is there, undefined where nothing is; what the next start mends is mended. Throws where it is not whole. */
  read(): Promise<number | undefined>;
  /** Names that stand beside the saves and should not. */
  leftOvers(): string[];
  /** Whether it can be made again, so that it may be gone after a power cut. */
  readonly cache?: boolean;
}

/** Opens a save below a folder. */
export type OpenSave = (home: string) => Promise<Save>;

/** Every kind of save; each loads its own modules. */
export const saves = {
  run: async (home) => (await import('./runs.js')).openRun(home),
  finished: async (home) => (await import('./runs.js')).openFinished(home),
  record: async (home) => (await import('./runs.js')).openRecord(home),
  file: async (home) => (await import('./files.js')).openFile(home),
  source: async (home) => (await import('./files.js')).openSource(home),
  programs: async (home) => (await import('./files.js')).openPrograms(home),
} as const satisfies Readonly<Record<string, OpenSave>>;

export type SaveKind = keyof typeof saves;
export const saveKinds = Object.keys(saves) as SaveKind[];
