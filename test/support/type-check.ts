import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { writeFileSync } from 'node:fs';

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const root = dirname(dirname(import.meta.dirname));

/** What the compiler says of the sources in a folder of this workspace, as strictly as of its packages; '' if nothing. */
export function typeErrors(sources: string): string {
  const folder = dirname(sources);
  const config = join(folder, 'tsconfig.type-check.json');
  const options = { declaration: true };
  writeFileSync(
    config,
    JSON.stringify({
      extends: relative(folder, join(root, 'tsconfig.check.json')),
      compilerOptions: options,
      include: [relative(folder, sources)],
    }),
  );
  try {
    return execFileSync(process.execPath, [compiler, '-p', config], { encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
