import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { findLibrary } from '../native-fixture.js';
import { loadLibrary } from './library.js';

const folder = mkdtempSync(join(tmpdir(), 'library-'));
const paths = await findLibrary();

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('a missing library is named, with what to do', () => {
  const missing = join(folder, 'none.so.2');
  expect(() => loadLibrary({ tensorflow: missing, framework: missing })).toThrow(
    `There is no TensorFlow library at ${missing}. Run "hypetune engine install"`,
  );
});

test('a file that is no library for this machine is named', () => {
  const text = join(folder, 'text.so.2');
  writeFileSync(text, 'not a library');
  expect(() => loadLibrary({ tensorflow: text, framework: text })).toThrow(
    /text\.so\.2 cannot be loaded on .*install/,
  );
});

describe.skipIf(paths === undefined)('with TensorFlow', () => {
  test('another library is refused with the function it lacks', () => {
    const { framework } = paths!;
    expect(() => loadLibrary({ tensorflow: framework, framework })).toThrow(
      /has no function TFE?_\w+: it is not a TensorFlow 2/,
    );
  });

  test('opens once and tells its version', () => {
    const library = loadLibrary(paths!);
    expect(library.version).toMatch(/^2\.\d+\.\d+/);
    expect(loadLibrary(paths!)).toBe(library);
  });

  /** Runs a program in a process of its own; gives its exit status and output. */
  function runProgram(source: string): { status: number; output: string } {
    const file = join(folder, 'program.ts');
    const engine = fileURLToPath(new URL('./index.ts', import.meta.url));
    writeFileSync(
      file,
      `import { loadLibrary } from ${JSON.stringify(engine)};\nloadLibrary(${JSON.stringify(paths)});\n${source}`,
    );
    const flags = ['--conditions=development', '--import', import.meta.resolve('tsx'), file];
    try {
      return {
        status: 0,
        output: execFileSync(process.execPath, flags, { encoding: 'utf8', stdio: 'pipe' }),
      };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
      return { status, output: stdout + stderr };
    }
  }

  test('a process that loaded it ends as it should', () => {
    expect(runProgram('')).toEqual({ status: 0, output: '' });
    const handlers = "process.on('exit', (code) => { console.log('later', code); });";
    expect(runProgram(`process.exitCode = 3; ${handlers}`)).toEqual({ status: 3, output: 'later 3\n' });
    expect(runProgram(`${handlers} process.exit(4);`)).toEqual({ status: 4, output: 'later 4\n' });
  });
});
