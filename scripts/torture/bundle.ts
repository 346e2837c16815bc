import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A script with all that it imports as one file in the folder, which starts in a fifth of the time. */
export async function bundled(script: string, folder: string): Promise<string> {
  const outfile = join(folder, 'bundle', 'bundled.mjs');
  // Where the command looks for its version.
  const manifest = new URL('../../packages/cli/package.json', import.meta.url);
  copyFileSync(fileURLToPath(manifest), join(folder, 'package.json'));
  await build({
    ...{ entryPoints: [script], outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' },
    ...{ conditions: ['@hypetune/source'], external: ['koffi'], ignoreAnnotations: true },
    // For packages that are CommonJS; by a name that no source has.
    banner: {
      js: `import { createRequire as requireOfBundle } from 'node:module'; const require = requireOfBundle(${JSON.stringify(script)});`,
    },
  });
  return outfile;
}
