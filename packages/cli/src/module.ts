import * as loading from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** TypeScript is a module whatever the package.json above it says: as CommonJS it could not load the modules of this command. */
const AS_MODULE = `data:text/javascript,${encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    return /^file:.*\\.ts(\\?|$)/.test(found.url) && !found.url.includes('/node_modules/') ? { ...found, format: 'module' } : found;
  }`)}`;
let asModules = false;

/** What a module exports, TypeScript or not; modules that the command itself uses are the same ones for it. */
export async function loadModule(file: string): Promise<object> {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  if (!asModules) loading.register(AS_MODULE);
  asModules = true;
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
