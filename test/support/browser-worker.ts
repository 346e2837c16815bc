/** A worker of a page: trains on the model of which the page gives the files, and answers with the losses. */
import { blobFolder, type BlobLike } from '@hypetune/models/browser';
import type { WasmOptions } from '@hypetune/engine/browser';
import { lossesOf } from './browser-losses.js';
import { tokenRows } from './token-rows.js';

interface Request {
  readonly files: Readonly<Record<string, BlobLike>>;
  readonly options: WasmOptions & { readonly steps: number };
}

const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: Request }) => void;
  postMessage(data: object): void;
};

scope.onmessage = ({ data: { files, options } }) => {
  void lossesOf(blobFolder('fixture', files), tokenRows(40), options)
    .then((answer) => ({ answer }))
    .catch((error: unknown) => ({ error: String(error) }))
    .then((message) => {
      scope.postMessage(message);
    });
};
