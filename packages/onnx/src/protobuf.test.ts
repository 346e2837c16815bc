import { expect, test } from 'vitest';
import { Message } from './protobuf.js';

const hex = (message: Message): string => Buffer.concat(message.chunks).toString('hex');

// The first four are the examples of the encoding's own documentation.
test.each([
  ['an integer', new Message().integer(1, 150), '089601'],
  ['a text', new Message().text(2, 'testing'), '120774657374696e67'],
  ['a message in a message', new Message().message(3, new Message().integer(1, 150)), '1a03089601'],
  ['a negative integer', new Message().integer(1, -2), '08feffffffffffffffff01'],
  ['zero', new Message().integer(1, 0), '0800'],
  ['a float', new Message().float(2, 1), '150000803f'],
  ['a large field number', new Message().integer(20, 1), 'a00101'],
  ['bytes', new Message().bytes(9, Uint8Array.of(1, 2)), '4a020102'],
  ['an integer above 32 bits', new Message().integer(1, 2 ** 40), '08808080808020'],
])('%s', (_, message, wanted) => {
  expect(hex(message)).toBe(wanted);
  expect(message.byteLength).toBe(wanted.length / 2);
});

test('a message of very many fields goes into another', () => {
  const inner = new Message();
  for (let count = 0; count < 150_000; count += 1) inner.integer(1, 1);
  expect(new Message().message(2, inner).byteLength).toBe(300_000 + 4);
});

test('what is no safe integer is an error', () => {
  expect(() => new Message().integer(1, 0.5)).toThrow(/field 1 must be an integer .* got 0\.5/);
  expect(() => new Message().integer(1, 2 ** 53)).toThrow(/field 1/);
});
