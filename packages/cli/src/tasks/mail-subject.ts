/** The subject of a mail in its source form, encoded words decoded, on one line; undefined if it has none. */
export function mailSubject(mail: string): string | undefined {
  const head = mail.split(/\r?\n\r?\n/, 1)[0]!;
  const found = /^subject:[ \t]*(.*(?:\r?\n[ \t].*)*)/im.exec(head)?.[1];
  if (found === undefined) return undefined;
  const text = found
    .replace(/(\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=/gi, (word, charset: string, form: string, data: string) =>
      decodeWord(word, charset, form, data),
    );
  return text.replace(/\s+/g, ' ').trim() || undefined;
}

/** An encoded word (RFC 2047) as text; as it stands if its character set is unknown. */
function decodeWord(word: string, charset: string, form: string, data: string): string {
  const bytes =
    form.toLowerCase() === 'b'
      ? Buffer.from(data, 'base64')
      : Buffer.from(
          data
            .replaceAll('_', ' ')
            .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
          'latin1',
        );
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return word;
  }
}

/** What makes two subjects the same line: reply marks, letter case and spacing do not count. */
export function subjectIdentity(subject: string): string {
  return subject
    .toLowerCase()
    .replace(/^(?:(?:re|fwd?|aw|sv)(?:\[\d+\])?:\s*)+/, '')
    .trim();
}
