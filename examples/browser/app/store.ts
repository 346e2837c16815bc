/** What outlives the tab, in IndexedDB: a run with its last snapshot, or the tuned model. */
import type { Snapshot, StoredTensor } from '@hypetune/core';
import type { Files, Report, Row, Settings } from './messages.js';

export interface SavedRun {
  readonly files: Files;
  readonly rows: readonly Row[];
  readonly settings: Settings;
}

/** The reports of a run so far: what its chart shows. */
export type History = readonly Extract<Report, { type: 'step' | 'evaluation' }>[];

interface Saved {
  run: SavedRun;
  snapshot: {
    readonly meta: Snapshot['meta'];
    readonly tensors: Record<string, StoredBlob>;
    readonly history: History;
  };
  tuned: Files;
}

/** A value in a blob of its own: IndexedDB takes large ones only so. */
type StoredBlob = Omit<StoredTensor, 'data'> & { readonly data: Blob };

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

const opened = new Promise<IDBDatabase>((resolve, reject) => {
  const request = indexedDB.open('hypetune', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('saved');
  request.onsuccess = () => {
    resolve(request.result);
  };
  request.onerror = () => {
    reject(request.error!);
  };
});

async function transact<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest): Promise<T> {
  const transaction = (await opened).transaction('saved', mode);
  const request = act(transaction.objectStore('saved'));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => {
      resolve(request.result as T);
    };
    transaction.onabort = () => {
      reject(transaction.error ?? request.error!);
    };
  });
}

export const load = <K extends keyof Saved>(key: K): Promise<Saved[K] | undefined> =>
  transact('readonly', (store) => store.get(key));

export const save = <K extends keyof Saved>(key: K, value: Saved[K]): Promise<void> =>
  transact('readwrite', (store) => store.put(value, key));

export const forget = (key?: keyof Saved): Promise<void> =>
  transact('readwrite', (store) => (key ? store.delete(key) : store.clear()));

export async function saveSnapshot({ meta, tensors }: Snapshot, history: History): Promise<void> {
  const stored = Object.entries(tensors).map(([name, { data, ...rest }]) => [
    name,
    { ...rest, data: new Blob([data as Uint8Array<ArrayBuffer>]) },
  ]);
  await save('snapshot', {
    meta,
    tensors: Object.fromEntries(stored) as Record<string, StoredBlob>,
    history,
  });
}

export async function loadSnapshot(): Promise<{ snapshot: Snapshot; history: History } | undefined> {
  const saved = await load('snapshot');
  if (!saved) return undefined;
  const tensors: Snapshot['tensors'] = {};
  for (const [name, { data, ...rest }] of Object.entries(saved.tensors))
    tensors[name] = { ...rest, data: new ARRAYS[rest.dtype](await data.arrayBuffer()) };
  return { snapshot: { meta: saved.meta, tensors }, history: saved.history };
}
