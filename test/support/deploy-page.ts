import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { call } from '../../packages/cli/test/call.js';
import type { Scratch } from '../../packages/cli/test/scratch.js';
import { tinyModel } from '../../packages/cli/test/tiny-model.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/deploy.md', import.meta.url)), 'utf8');

/** The blocks of docs/deploy.md in a language. */
export function deployBlocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code!);
}

/** Does in a scratch folder what docs/deploy.md says of the command, with a model so small that it takes a second. */
export async function deploy(home: Scratch): Promise<void> {
  home.write('mails.csv', deployBlocks('csv')[0]!);
  const model = await tinyModel(home);
  const before = process.cwd();
  process.chdir(home.folder);
  try {
    for (const command of deployBlocks('sh').filter((code) => code.startsWith('npx hypetune'))) {
      const [, , ...words] = command.trim().split(' ');
      const small = words[0] === 'train' ? ['--model', model, '--engine', 'cpu'] : [];
      const { code, error } = await call(...words, ...small);
      if (code !== 0) throw new Error(`${command}${error}`);
    }
  } finally {
    process.chdir(before);
  }
}
