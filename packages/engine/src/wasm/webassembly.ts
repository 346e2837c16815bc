/** The part of the global WebAssembly that is used here; its types come with the DOM's, which Node projects do not load. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

interface WebAssemblyNamespace {
  Memory: new (limits: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory } },
  ) => { exports: Record<string, unknown> };
  validate(bytes: Uint8Array): boolean;
}

export const webAssembly: WebAssemblyNamespace = (
  globalThis as unknown as { WebAssembly: WebAssemblyNamespace }
).WebAssembly;
