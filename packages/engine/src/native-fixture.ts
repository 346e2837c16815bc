import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { listEngines } from './install/install.js';
import {
  loadLibrary,
  registerNativeBackend,
  type LibraryPaths,
  type NativeBackend,
} from './libtensorflow/index.js';

/** The TensorFlow that tests use: in the folder HYPETUNE_LIBTENSORFLOW, else an installed one; undefined without any. */
export async function findLibrary(): Promise<LibraryPaths | undefined> {
  const folder = process.env['HYPETUNE_LIBTENSORFLOW'];
  if (folder !== undefined) {
    const paths = {
      tensorflow: join(folder, 'libtensorflow_cc.so.2'),
      framework: join(folder, 'libtensorflow_framework.so.2'),
    };
    if (existsSync(paths.tensorflow)) return paths;
  }
  const [engine] = await listEngines();
  if (engine === undefined) {
    console.log(
      'Skipped: no TensorFlow library. Run "hypetune engine install" or set HYPETUNE_LIBTENSORFLOW.',
    );
  }
  return engine?.paths;
}

/** Makes the native engine tfjs's backend. */
export async function startNative(paths: LibraryPaths, graphs?: number): Promise<NativeBackend> {
  if ((tf.findBackendFactory('tensorflow') as unknown) !== null) tf.removeBackend('tensorflow');
  registerNativeBackend(loadLibrary(paths), graphs === undefined ? {} : { graphs });
  await tf.setBackend('tensorflow');
  return tf.backend() as unknown as NativeBackend;
}

/** Handles and tensors that exist now. */
export function countAll(backend: NativeBackend): { handles: number; tensors: number; numbers: number } {
  return {
    handles: backend.binding.runtime.handles,
    tensors: tf.memory().numTensors,
    numbers: backend.getNumOfTFTensors(),
  };
}
