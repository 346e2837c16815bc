// Bytes that are printable stay, the others become the characters from 256 on (Radford et al., 2019).
const CHARACTERS: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const encoder = new TextEncoder();

/** A character for every byte of the text's UTF-8, each of them printable. */
export function bytesAsCharacters(text: string): string {
  let result = '';
  for (const byte of encoder.encode(text)) result += CHARACTERS[byte]!;
  return result;
}
