import { closeSync, existsSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import koffi, { type LibraryHandle } from 'koffi';
import { leaveThroughReallyExit } from './exit.js';
import { bindMemory, bindSymbols, type Memory, type Symbols } from './symbols.js';
import { withOwnXlaFlags } from './xla-flags.js';

/** Where the two shared libraries of TensorFlow lie. */
export interface LibraryPaths {
  /** libtensorflow_cc.so.2, or libtensorflow.so.2 of the plain C distribution. */
  readonly tensorflow: string;
  /** libtensorflow_framework.so.2. */
  readonly framework: string;
}

/** An open TensorFlow library. */
export interface Library {
  readonly paths: LibraryPaths;
  /** The library's own version, as `2.21.0`. */
  readonly version: string;
  readonly symbols: Symbols;
  readonly memory: Memory;
  /** The TF_Status that synchronous calls share. */
  readonly status: number;
  /** Throws what the last call put into the shared status, if it is an error; `what` opens the message. */
  check(what: string): void;
}

/** Bytes of stack for C functions: the compiler inside TensorFlow needs as much as a thread usually has. */
const STACK = 16 * 2 ** 20;

const open = new Map<string, Library>();
let configured = false;

/** Once a process: koffi takes no settings after its first library, even one that could not be opened. */
export function configureKoffi(): void {
  if (configured) return;
  koffi.config({ sync_stack_size: STACK, async_stack_size: 2 ** 20, resident_async_pools: 2 });
  configured = true;
}

/**
 * Opens TensorFlow, once per process and path. Throws if a file is missing, is not a shared library for this machine,
 * or lacks the C API.
 */
export function loadLibrary(paths: LibraryPaths): Library {
  const known = open.get(paths.tensorflow);
  if (known !== undefined) return known;
  // TensorFlow reads these while it is being loaded; a value the user has set wins.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  process.env['XLA_FLAGS'] = withOwnXlaFlags(process.env['XLA_FLAGS']);
  configureKoffi();
  if (!isMainThread) showEnvironment();
  quietly(() => openShared(paths.framework, true));
  const symbols = bindSymbols(openShared(paths.tensorflow, false), paths.tensorflow);
  const version = symbols.TF_Version();
  if (Number(version.split('.')[0]) !== 2) {
    throw new Error(
      `${paths.tensorflow} is TensorFlow ${version}; version 2 is needed. Run "hypetune engine install".`,
    );
  }
  const status = symbols.TF_NewStatus();
  const library: Library = {
    paths,
    version,
    symbols,
    memory: bindMemory(),
    status,
    check: (what) => {
      if (symbols.TF_GetCode(status) === 0) return;
      const message = symbols.TF_Message(status);
      symbols.TF_SetStatus(status, 0, '');
      throw new Error(`${what}: ${message}`);
    },
  };
  leaveThroughReallyExit();
  open.set(paths.tensorflow, library);
  return library;
}

/** In a worker thread process.env is a copy, of which C code sees nothing. */
function showEnvironment(): void {
  const set = koffi.load(null).func('setenv', 'int', ['str', 'str', 'int']) as (
    name: string,
    value: string,
    overwrite: number,
  ) => number;
  for (const name of ['TF_CPP_MIN_LOG_LEVEL', 'TF_ENABLE_ONEDNN_OPTS', 'XLA_FLAGS'])
    set(name, process.env[name]!, 1);
}

/** Runs `load` with the standard error stream closed: TensorFlow prints notices as it starts, whatever its log level. */
function quietly<T>(load: () => T): T {
  if (process.platform === 'win32' || process.env['TF_CPP_MIN_LOG_LEVEL'] === '0') return load();
  const c = koffi.load(null);
  const duplicate = c.func('dup', 'int', ['int']) as (file: number) => number;
  const replace = c.func('dup2', 'int', ['int', 'int']) as (file: number, other: number) => number;
  const nowhere = openSync(devNull, 'w');
  const kept = duplicate(2);
  replace(nowhere, 2);
  try {
    return load();
  } finally {
    replace(kept, 2);
    closeSync(kept);
    closeSync(nowhere);
  }
}

function openShared(path: string, global: boolean): LibraryHandle {
  if (!existsSync(path)) {
    throw new Error(
      `There is no TensorFlow library at ${path}. Run "hypetune engine install", or give another path.`,
    );
  }
  try {
    return koffi.load(path, { global });
  } catch (error) {
    throw new Error(
      `${path} cannot be loaded on ${process.platform}-${process.arch}: ${(error as Error).message}. ` +
        'The file may be cut short or made for another machine; run "hypetune engine install" again.',
      { cause: error },
    );
  }
}
