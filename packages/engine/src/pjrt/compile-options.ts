/** Fields of XLA's DebugOptions to set, by name. */
export type CompilerSettings = Readonly<Record<string, boolean | number | string>>;

/** CompileOptionsProto: one replica of one partition, and settings of the compiler. */
export function compileOptions(settings: CompilerSettings): Uint8Array {
  // executable_build_options = 3: num_replicas = 4, num_partitions = 5.
  const build = field(3, concatenate([Uint8Array.of(0x20, 1), Uint8Array.of(0x28, 1)]));
  // env_option_overrides = 7, a map of OptionOverrideProto.
  const overrides = Object.entries(settings).map(([name, value]) =>
    field(7, concatenate([field(1, Buffer.from(name)), field(2, override(value))])),
  );
  return concatenate([build, ...overrides]);
}

/** OptionOverrideProto: string_field = 1, bool_field = 2, int_field = 3. */
function override(value: boolean | number | string): Uint8Array {
  if (typeof value === 'string') return field(1, Buffer.from(value));
  if (typeof value === 'boolean') return Uint8Array.of(0x10, value ? 1 : 0);
  return concatenate([Uint8Array.of(0x18), varint(value)]);
}

/** A field of bytes. */
const field = (number: number, content: Uint8Array): Uint8Array =>
  concatenate([varint((number << 3) | 2), varint(content.length), content]);

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.of(...bytes, rest);
}

const concatenate = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
