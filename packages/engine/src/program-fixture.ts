import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** Runs a TypeScript module, written to `file` (.mts), in a process of its own; gives its exit status and output. */
export function runProgram(
  file: string,
  source: string,
  environment: NodeJS.ProcessEnv = {},
): { status: number; output: string } {
  writeFileSync(file, source);
  const flags = ['--conditions=@hypetune/source', '--import', import.meta.resolve('tsx'), file];
  const options = { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, ...environment } } as const;
  try {
    return { status: 0, output: execFileSync(process.execPath, flags, options) };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { status, output: stdout + stderr };
  }
}
