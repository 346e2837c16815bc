import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a module exports, TypeScript or not; modules that the command itself uses are the same ones for it. */
export async function loadModule(file: string): Promise<object> {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as object;
  } finally {
    await unregister();
  }
}

/** What went wrong, in a line. */
export function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0]!;
}
