/** What is wrong with a safetensors file; each rule has a code of its own. */
export type SafetensorsErrorCode =
  | 'truncated'
  | 'header-too-large'
  | 'header-invalid'
  | 'duplicate-key'
  | 'forbidden-name'
  | 'unknown-dtype'
  | 'overflow'
  | 'size-mismatch'
  | 'overlap'
  | 'hole'
  | 'beyond-file'
  | 'invalid-data';

/** A file that breaks the format, with the file's name and, where one is at fault, the tensor's. */
export class SafetensorsError extends Error {
  readonly code: SafetensorsErrorCode;
  readonly file: string;
  readonly tensor: string | undefined;

  constructor(code: SafetensorsErrorCode, file: string, tensor: string | undefined, detail: string) {
    super(tensor === undefined ? `${file}: ${detail}` : `${file}: tensor "${tensor}": ${detail}`);
    this.name = 'SafetensorsError';
    this.code = code;
    this.file = file;
    this.tensor = tensor;
  }
}
