import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { Client } from './client.js';
import { Executables } from './executables.js';
import { findTestPlugin } from './plugin-fixture.js';

const cache = mkdtempSync(join(tmpdir(), 'executables-'));
const path = await findTestPlugin();

afterAll(() => {
  rmSync(cache, { recursive: true });
});

const program = `module @twice { func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = stablehlo.add %x, %x : tensor<f32>
  return %0 : tensor<f32>
} }`;

test.skipIf(path === undefined)(
  'an executable is found by a later process, and made again where its file is damaged',
  () => {
    const client = new Client(path!);
    const compile = vi.spyOn(client, 'compile');
    const run = (): number => {
      const executable = new Executables(client, {}, cache, 0).make(program);
      const x = client.upload('f32', [], Float32Array.of(21));
      const { buffers, event } = client.execute(executable, [x], 1);
      client.await(event);
      const result = new Float32Array(1);
      client.download(buffers[0]!, result);
      for (const buffer of [x, ...buffers]) client.destroy(buffer);
      client.destroyExecutable(executable);
      return result[0]!;
    };
    expect([run(), run()]).toEqual([42, 42]);
    expect(compile).toHaveBeenCalledTimes(1);
    const folder = join(cache, 'programs', readdirSync(join(cache, 'programs'))[0]!);
    const [name] = readdirSync(folder);
    const content = readFileSync(join(folder, name!));
    content[content.length - 9]! ^= 1;
    writeFileSync(join(folder, name!), content);
    expect([run(), run()]).toEqual([42, 42]);
    expect(compile).toHaveBeenCalledTimes(2);
    // What was quick to compile is not worth a file.
    new Executables(client, {}, cache).make(program.replaceAll('add', 'multiply'));
    expect(readdirSync(folder)).toEqual([name]);
  },
);
