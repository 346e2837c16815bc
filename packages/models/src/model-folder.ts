/** A file of a {@link ModelFolder}. */
export interface FolderFile {
  readonly size: number;
  /** The bytes from `begin` to before `end`. */
  read(begin: number, end: number): Promise<Uint8Array>;
}

/** A model's files, wherever they are: on a disk, picked in a browser, fetched. */
export interface ModelFolder {
  /** What errors call it. */
  readonly name: string;
  /** The names of its files; undefined where there is no such folder. */
  list(): Promise<readonly string[] | undefined>;
  /** A file by its name; undefined where there is none. */
  open(name: string): Promise<FolderFile | undefined>;
}

/** The part of a browser's `Blob` (and `File`) that is read here. */
export interface BlobLike {
  readonly size: number;
  slice(begin: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** A folder of files that a browser has, by their names: picked, dropped, fetched or kept in IndexedDB. */
export function blobFolder(name: string, files: Readonly<Record<string, BlobLike>>): ModelFolder {
  return {
    name,
    list: () => Promise.resolve(Object.keys(files)),
    open: (file) => {
      const blob = Object.hasOwn(files, file) ? files[file] : undefined;
      return Promise.resolve(
        blob && {
          size: blob.size,
          read: async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()),
        },
      );
    },
  };
}

/** How errors call a file of a folder. */
export function pathIn({ name }: ModelFolder, file: string): string {
  return `${name.replace(/\/$/, '')}/${file}`;
}

/** The text of a file in UTF-8; undefined where there is none of this name. */
export async function readText(folder: ModelFolder, name: string): Promise<string | undefined> {
  const file = await folder.open(name);
  // As Node.js reads a text: a byte order mark is a part of it.
  return file && new TextDecoder('utf-8', { ignoreBOM: true }).decode(await file.read(0, file.size));
}
