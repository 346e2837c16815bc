import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  SafetensorsError,
  type StoredTensor,
  parseMetadata,
  parseSafetensors,
  serializeSafetensors,
  streamSafetensors,
  type PendingTensor,
} from './index.js';

const PYTHON = process.env.HYPETUNE_PYTHON ?? 'python3';

/** The bytes of a file with this header text and this many bytes of data. */
function file(header: string, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function entry(begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32'): string {
  return JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
}

function failure(bytes: Uint8Array): SafetensorsError {
  try {
    parseSafetensors(bytes, 'model.safetensors');
  } catch (error) {
    if (error instanceof SafetensorsError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

const broken: [string, string, string | undefined, Uint8Array, RegExp][] = [
  ['no length', 'truncated', undefined, new Uint8Array(5), /has 5 bytes/],
  ['huge header', 'header-too-large', undefined, new Uint8Array(8).fill(255), /18446744073709551615 bytes/],
  ['cut header', 'truncated', undefined, file(`{"a":${entry(0, 8)}}`, 8).subarray(0, 20), /ends after 12/],
  ['not an object', 'header-invalid', undefined, file('[]', 0), /does not start with/],
  ['not JSON', 'header-invalid', undefined, file('{"a":}', 0), /expected a value, got "}"/],
  ['trailing text', 'header-invalid', undefined, file('{} {}', 0), /expected nothing more/],
  ['deep nesting', 'header-invalid', undefined, file('{"a":' + '['.repeat(50), 0), /at most 8 levels/],
  [
    'cut data',
    'beyond-file',
    'b',
    file(`{"a":${entry(0, 8)},"b":${entry(8, 16)}}`, 12),
    /end at 16.*only 12 bytes/,
  ],
  [
    'overlap',
    'overlap',
    'b',
    file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12),
    /begin at 4, inside tensor "a"/,
  ],
  [
    'hole',
    'hole',
    'b',
    file(`{"a":${entry(0, 8)},"b":${entry(12, 16)}}`, 16),
    /hole of 4 bytes after tensor "a"/,
  ],
  ['hole at the start', 'hole', 'a', file(`{"a":${entry(4, 8)}}`, 8), /hole of 4 bytes/],
  ['remainder', 'hole', undefined, file(`{"a":${entry(0, 8)}}`, 12), /4 bytes after tensor "a" belong to no/],
  ['size mismatch', 'size-mismatch', 'a', file(`{"a":${entry(0, 8, [3])}}`, 8), /takes 12 bytes.*hold 8/],
  [
    'unknown dtype',
    'unknown-dtype',
    'a',
    file(`{"a":${entry(0, 8, [2], 'F33')}}`, 8),
    /"F33" is not supported/,
  ],
  [
    'inherited dtype',
    'unknown-dtype',
    'a',
    file(`{"a":${entry(0, 8, [2], 'toString')}}`, 8),
    /not supported/,
  ],
  ['negative', 'header-invalid', 'a', file(`{"a":${entry(0, 8, [-2])}}`, 8), /integers of 0 or more/],
  [
    'fraction',
    'header-invalid',
    'a',
    file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1),
    /integers/,
  ],
  [
    'backwards',
    'header-invalid',
    'a',
    file('{"a":{"dtype":"U8","shape":[],"data_offsets":[2,1]}}', 2),
    /backwards/,
  ],
  [
    'big number',
    'overflow',
    'a',
    file('{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}}', 1),
    /beyond/,
  ],
  ['big product', 'overflow', 'a', file(`{"a":${entry(0, 8, [2 ** 31, 2 ** 31])}}`, 8), /more than 2\^53/],
  [
    'zero times big',
    'overflow',
    'a',
    file(`{"a":${entry(0, 0, [2 ** 31, 2 ** 31, 0])}}`, 0),
    /more than 2\^53/,
  ],
  [
    'duplicate tensor',
    'duplicate-key',
    'a',
    file(`{"a":${entry(0, 8)},"a":${entry(0, 8)}}`, 8),
    /comes twice/,
  ],
  [
    'escaped duplicate',
    'duplicate-key',
    'a',
    file(`{"a":${entry(0, 8)},"\\u0061":${entry(0, 8)}}`, 8),
    /comes twice/,
  ],
  [
    'duplicate field',
    'duplicate-key',
    'a',
    file('{"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}', 1),
    /"dtype" comes twice/,
  ],
  [
    '__proto__',
    'forbidden-name',
    '__proto__',
    file(`{"__proto__":${entry(0, 8)}}`, 8),
    /not accepted as the name/,
  ],
  [
    'number in metadata',
    'header-invalid',
    undefined,
    file('{"__metadata__":{"a":1}}', 0),
    /must hold a string/,
  ],
];

test.each(broken)('a broken file is refused with its own error: %s', (_, code, tensor, bytes, message) => {
  const error = failure(bytes);
  expect(error).toMatchObject({ code, tensor, file: 'model.safetensors' });
  expect(error.message).toMatch(message);
  expect(error.message.startsWith('model.safetensors: ')).toBe(true);
});

const all: [string, StoredTensor][] = [
  ['bool', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
  ['f32', { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -2.5, Infinity, 1e-40) }],
  ['f64', { dtype: 'F64', shape: [], data: Float64Array.of(Math.PI) }],
  ['half', { dtype: 'F16', shape: [5], data: Float32Array.of(0.5, -0, 65504, 2 ** -24, -Infinity) }],
  ['bfloat', { dtype: 'BF16', shape: [3], data: Float32Array.of(1.5, -3.140625, 2 ** -130) }],
  ['i64', { dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) }],
  ['u8 "quoted" \u00e9', { dtype: 'U8', shape: [1, 1, 1], data: Uint8Array.of(7) }],
  ['i16', { dtype: 'I16', shape: [1], data: Int16Array.of(-7) }],
];

test('what is written is read back, bit for bit and at any alignment', () => {
  const bytes = serializeSafetensors(all, { format: 'pt' });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  for (const copy of [bytes, shifted.subarray(1)]) {
    const tensors = parseSafetensors(copy);
    expect(tensors.size).toBe(all.length);
    for (const [name, tensor] of all) expect(tensors.get(name)).toEqual(tensor);
  }
  expect(parseMetadata(bytes)).toEqual(new Map([['format', 'pt']]));
  expect(serializeSafetensors([...all].reverse(), { format: 'pt' })).toEqual(bytes);
});

test('a file that is written piece by piece has the same bytes, and each tensor is fetched at its turn', async () => {
  const fetched: string[] = [];
  const pending = all.map(([name, { data, ...layout }]): [string, PendingTensor] => [
    name,
    { ...layout, read: () => (fetched.push(name), Promise.resolve(data)) },
  ]);
  const pieces: Uint8Array[] = [];
  for await (const piece of streamSafetensors(pending, { format: 'pt' })) {
    expect(fetched.length).toBe(pieces.length);
    pieces.push(piece);
  }
  expect(Buffer.concat(pieces)).toEqual(Buffer.from(serializeSafetensors(all, { format: 'pt' })));
  const short = streamSafetensors([['a', { dtype: 'F32', shape: [2], read: () => new Float32Array(1) }]]);
  await short.next();
  await expect(short.next()).rejects.toThrow(/does not hold 1 elements/);
});

test('half precision is decoded and rounded to nearest, ties to even', () => {
  const values = Float32Array.of(
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    65519,
    65520,
    2 ** -25,
    3 * 2 ** -25,
    2 ** -14 - 2 ** -26,
  );
  const wanted = Float32Array.of(1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -23, 2 ** -14);
  const bytes = serializeSafetensors([['x', { dtype: 'F16', shape: [7], data: values }]]);
  expect(parseSafetensors(bytes).get('x')?.data).toEqual(wanted);
  const bfloat = serializeSafetensors([
    ['x', { dtype: 'BF16', shape: [3], data: Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, NaN) }],
  ]);
  expect(parseSafetensors(bfloat).get('x')?.data).toEqual(Float32Array.of(1, 1 + 2 ** -6, NaN));
});

test('the writer refuses what no reader would accept', () => {
  const one: StoredTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
  expect(() =>
    serializeSafetensors([
      ['a', one],
      ['a', one],
    ]),
  ).toThrow(/two tensors have this name/);
  expect(() => serializeSafetensors([['__proto__', one]])).toThrow(/not accepted/);
  expect(() => serializeSafetensors([['__metadata__', one]])).toThrow(/format's own/);
  expect(() => serializeSafetensors([['a', { ...one, shape: [2] }]])).toThrow(/does not hold 1 elements/);
  expect(() => serializeSafetensors([['a', { ...one, dtype: 'I32' }]])).toThrow(
    /from a Int32Array, got Float32Array/,
  );
});

const noPython = ((): string | undefined => {
  try {
    execFileSync(PYTHON, ['-c', 'import safetensors.numpy'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${PYTHON} has no safetensors; name another by HYPETUNE_PYTHON`;
  }
})();
if (noPython) console.warn(`skipped: files load in Python's safetensors (${noPython})`);

test.skipIf(noPython)("files written load in Python's safetensors, and its files load here", () => {
  const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
  try {
    const [ours, theirs] = [join(folder, 'ours.safetensors'), join(folder, 'theirs.safetensors')];
    const tensors = all.filter(([, { dtype }]) => dtype !== 'BF16');
    writeFileSync(ours, serializeSafetensors(tensors, { format: 'pt' }));
    const script =
      'import sys, safetensors, safetensors.numpy as s; t = s.load_file(sys.argv[1]); ' +
      'm = safetensors.safe_open(sys.argv[1], "np").metadata(); assert m == {"format": "pt"}, m; s.save_file(t, sys.argv[2])';
    execFileSync(PYTHON, ['-c', script, ours, theirs]);
    const back = parseSafetensors(readFileSync(theirs), theirs);
    for (const [name, tensor] of tensors) expect(back.get(name)).toEqual(tensor);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('data that lie at no multiple of their size are read, from any array of bytes', () => {
  for (const length of [0, 1, 2, 3]) {
    const bytes = file(`{"a":${entry(0, 8)}${' '.repeat(length)}}`, 8);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    for (const given of [bytes, Buffer.from(bytes)])
      expect(parseSafetensors(given).get('a')!.data).toEqual(Float32Array.of(0, 1.5));
  }
});

test('whatever byte of a file changes, it is read or refused with an error of ours', () => {
  const bytes = serializeSafetensors(all, { format: 'pt' });
  const headerEnd = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  fc.assert(
    fc.property(fc.nat(headerEnd - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
      const changed = bytes.slice(0, value % 4 === 0 ? length : bytes.length);
      if (at < changed.length) changed[at] = value;
      try {
        parseSafetensors(changed, 'fuzzed');
      } catch (error) {
        expect(error).toBeInstanceOf(SafetensorsError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a name of ten million characters and a hundred thousand tensors are read, in linear time', () => {
  const name = 'x'.repeat(1e7);
  expect([...parseSafetensors(file(`{"${name}":${entry(0, 4)}}`, 4)).keys()]).toEqual([name]);
  const entries = Array.from({ length: 1e5 }, (_, i) => `"t${i}":${entry(4 * i, 4 * i + 4)}`);
  expect(parseSafetensors(file(`{${entries.join(',')}}`, 4e5)).size).toBe(1e5);
  expect(failure(file(`{"${name}`, 0)).message).toContain('is not valid JSON at character 1');
});
