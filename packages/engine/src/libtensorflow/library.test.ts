import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { findLibrary } from '../native-fixture.js';
import { runProgram } from '../program-fixture.js';
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

  /** Runs a program that has loaded the library in a process of its own. */
  function runLoaded(source: string): ReturnType<typeof runProgram> {
    const engine = fileURLToPath(new URL('./index.ts', import.meta.url));
    const load = `import { loadLibrary } from ${JSON.stringify(engine)};\nloadLibrary(${JSON.stringify(paths)});\n`;
    return runProgram(join(folder, 'program.mts'), load + source);
  }

  test('a process that loaded it ends as it should', () => {
    expect(runLoaded('')).toEqual({ status: 0, output: '' });
    const handlers = "process.on('exit', (code) => { console.log('later', code); });";
    expect(runLoaded(`process.exitCode = 3; ${handlers}`)).toEqual({ status: 3, output: 'later 3\n' });
    expect(runLoaded(`${handlers} process.exit(4);`)).toEqual({ status: 4, output: 'later 4\n' });
  });

  test('an error that nobody caught is printed, one that somebody caught is not', () => {
    for (const source of ["throw new Error('lost');", "void Promise.reject(new Error('lost'));"]) {
      const { status, output } = runLoaded(source);
      expect(status).toBe(1);
      expect(output).toMatch(/^Uncaught Error: lost\n +at .*program\.mts/);
    }
    const handler = "process.on('uncaughtException', () => { console.log('caught'); });";
    expect(runLoaded(`${handler} throw new Error('lost');`)).toEqual({ status: 0, output: 'caught\n' });
  });
});
