import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from './client.js';
import { PjrtError } from './interface.js';
import { findTestPlugin } from './plugin-fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'pjrt-'));
const path = await findTestPlugin();

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('a missing plugin and a file that is none are named', () => {
  const missing = join(folder, 'none.so');
  expect(() => new Client(missing)).toThrow(`There is no PJRT plugin at ${missing}.`);
  const text = join(folder, 'text.so');
  writeFileSync(text, 'no library');
  expect(() => new Client(text)).toThrow(/text\.so cannot be loaded as a PJRT plugin on/);
});

/** x, y [4] -> x + y, which may take over the memory of x; and x y. */
const program = `module @both { func.func @main(%x: tensor<4xf32> {tf.aliasing_output = 0 : i32}, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %0 = stablehlo.add %x, %y : tensor<4xf32>
  %1 = stablehlo.multiply %x, %y : tensor<4xf32>
  return %0, %1 : tensor<4xf32>, tensor<4xf32>
} }`;

describe.skipIf(path === undefined)('a plugin', () => {
  let client: Client;
  beforeAll(() => {
    client = new Client(path!);
  });

  const up = (...values: number[]): number =>
    client.upload('f32', [values.length], Float32Array.from(values));
  const down = (buffer: number, size = 4): number[] => {
    const target = new Float32Array(size);
    client.download(buffer, target);
    return Array.from(target);
  };

  test('tells its version, platform and device', () => {
    expect(client.plugin.version).toMatch(/^0\.\d+$/);
    expect(client).toMatchObject({ platform: 'cpu', deviceKind: 'cpu' });
    expect(client.devices).toBeGreaterThan(0);
    expect(client.plugin.extensions).toEqual(expect.arrayContaining([expect.any(Number)]));
  });

  test('runs a program, overwrites what it may and keeps what it must', async () => {
    const before = client.buffers;
    const executable = client.compile(program);
    const [x, y] = [up(1, 2, 3, 4), up(10, 20, 30, 40)];
    const kept = client.execute(executable, [x, y], 2, [0]);
    client.await(kept.event);
    expect(down(kept.buffers[0]!)).toEqual([11, 22, 33, 44]);
    expect(down(kept.buffers[1]!)).toEqual([10, 40, 90, 160]);
    expect(down(x)).toEqual([1, 2, 3, 4]);
    const given = client.execute(executable, [x, y], 2);
    client.await(given.event);
    expect(client.isDeleted(x)).toBe(true);
    expect(client.isDeleted(y)).toBe(false);
    expect(() => down(x)).toThrow(/PJRT_\w+ \(invalid argument\): .*(delet|donat)/i);
    const target = new Float32Array(4);
    await client.downloadAsync(given.buffers[0]!, target);
    expect(Array.from(target)).toEqual([11, 22, 33, 44]);
    for (const buffer of [x, y, ...kept.buffers, ...given.buffers]) client.destroy(buffer);
    client.destroyExecutable(executable);
    expect(client.buffers).toBe(before);
  });

  test('says in its own words what it does not compile, and what it does not run', () => {
    const wrong = (): number => client.compile('module { func.func @main() { return %0 } }');
    expect(wrong).toThrow(PjrtError);
    expect(wrong).toThrow(/^PJRT_Client_Compile \(\w+\): .*error: expected ':'/s);
    const executable = client.compile(program);
    const [x, y] = [up(1, 2, 3, 4), up(1, 2, 3)];
    expect(() => client.execute(executable, [x, y], 2)).toThrow(PjrtError);
    client.destroy(x);
    client.destroy(y);
    client.destroyExecutable(executable);
  });

  test('more memory than there is gives one clear error, and the next program runs', () => {
    const type = 'tensor<33554432x33554432xf32>';
    const huge = client.compile(`module @huge { func.func @main(%x: tensor<f32>) -> ${type} {
      %0 = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<f32>) -> ${type}
      return %0 : ${type}
    } }`);
    const x = client.upload('f32', [], Float32Array.of(1));
    expect(() => client.execute(huge, [x], 1)).toThrow(
      'The device (cpu) is out of memory: PJRT_LoadedExecutable_Execute (resource exhausted): Out of memory allocating ' +
        '4503599627370496 bytes. Use smaller batches (batchSize, with accumulate to make up for it)',
    );
    client.destroyExecutable(huge);
    const executable = client.compile(program);
    const y = up(1, 2, 3, 4);
    const { buffers, event } = client.execute(executable, [y, y], 2, [0]);
    client.await(event);
    expect(down(buffers[1]!)).toEqual([1, 4, 9, 16]);
    client.destroyExecutable(executable);
    for (const buffer of [x, y, ...buffers]) client.destroy(buffer);
  });

  test('takes settings of the compiler, and leaves out those it does not know', () => {
    const executable = client.compile(program, {
      xla_cpu_enable_fast_min_max: false,
      xla_no_such_setting: true,
    });
    expect(executable).not.toBe(0);
    client.destroyExecutable(executable);
  });

  test('an executable becomes bytes and comes back', () => {
    const executable = client.compile(program);
    const bytes = client.serialize(executable);
    client.destroyExecutable(executable);
    expect(bytes?.length).toBeGreaterThan(100);
    const again = client.deserialize(bytes!)!;
    const [x, y] = [up(1, 2, 3, 4), up(1, 1, 1, 1)];
    const { buffers, event } = client.execute(again, [x, y], 2);
    client.await(event);
    expect(down(buffers[0]!)).toEqual([2, 3, 4, 5]);
    expect(client.deserialize(bytes!.slice(0, 50))).toBeUndefined();
    for (const buffer of [x, y, ...buffers]) client.destroy(buffer);
    client.destroyExecutable(again);
  });
});
