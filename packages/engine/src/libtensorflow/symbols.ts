import koffi, { type LibraryHandle, type TypeObject } from 'koffi';

/**
 * The functions of the TensorFlow C API that this package calls, each as `result:arguments`, one letter a type:
 * p pointer (a plain number: addresses fit in 53 bits), i int, u unsigned char, n size_t or int64_t, f float,
 * s zero-terminated text, b the memory of a typed array or null, o TF_Output by value, v nothing.
 */
const prototypes = {
  TF_Version: 's:',
  TF_NewStatus: 'p:',
  TF_DeleteStatus: 'v:p',
  TF_GetCode: 'i:p',
  TF_SetStatus: 'v:pis',
  TF_Message: 's:p',
  TF_AllocateTensor: 'p:ibin',
  TF_TensorData: 'p:p',
  TF_TensorByteSize: 'n:p',
  TF_TensorElementCount: 'n:p',
  TF_DeleteTensor: 'v:p',
  TF_StringInit: 'v:p',
  TF_StringCopy: 'v:pbn',
  TF_StringGetDataPointer: 'p:p',
  TF_StringGetSize: 'n:p',
  TFE_NewContextOptions: 'p:',
  TFE_ContextOptionsSetConfig: 'v:pbnp',
  TFE_DeleteContextOptions: 'v:p',
  TFE_NewContext: 'p:pp',
  TFE_DeleteContext: 'v:p',
  TFE_ContextAddFunction: 'v:ppp',
  TFE_ContextSetExecutorForThread: 'v:pp',
  TFE_ContextGetExecutorForThread: 'p:p',
  TFE_NewExecutor: 'p:uui',
  TFE_DeleteExecutor: 'v:p',
  TFE_ExecutorWaitForAllPendingNodes: 'v:pp',
  TFE_ExecutorClearError: 'v:p',
  TFE_NewTensorHandle: 'p:pp',
  TFE_DeleteTensorHandle: 'v:p',
  TFE_TensorHandleDataType: 'i:p',
  TFE_TensorHandleNumDims: 'i:pp',
  TFE_TensorHandleDim: 'n:pip',
  TFE_TensorHandleResolve: 'p:pp',
  TFE_TensorHandleCopySharingTensor: 'p:pp',
  TFE_NewOp: 'p:pbp',
  TFE_DeleteOp: 'v:p',
  TFE_OpAddInput: 'v:ppp',
  TFE_OpSetAttrString: 'v:pbbn',
  TFE_OpSetAttrInt: 'v:pbn',
  TFE_OpSetAttrFloat: 'v:pbf',
  TFE_OpSetAttrBool: 'v:pbu',
  TFE_OpSetAttrType: 'v:pbi',
  TFE_OpSetAttrShape: 'v:pbbip',
  TFE_OpSetAttrTensor: 'v:pbpp',
  TFE_OpSetAttrFunctionName: 'v:pbbn',
  TFE_OpSetAttrStringList: 'v:pbbbi',
  TFE_OpSetAttrIntList: 'v:pbbi',
  TFE_OpSetAttrFloatList: 'v:pbbi',
  TFE_OpSetAttrBoolList: 'v:pbbi',
  TFE_OpSetAttrTypeList: 'v:pbbi',
  TFE_OpSetAttrShapeList: 'v:pbbbip',
  TFE_Execute: 'v:pbbp',
  TF_NewGraph: 'p:',
  TF_DeleteGraph: 'v:p',
  TF_GraphCopyFunction: 'v:pppp',
  TF_GraphSetTensorShape: 'v:pobip',
  TF_GraphGetTensorNumDims: 'i:pop',
  TF_GraphGetTensorShape: 'v:pobip',
  TF_NewOperation: 'p:pbs',
  TF_AddInput: 'v:po',
  TF_AddInputList: 'v:pbi',
  TF_AddControlInput: 'v:pp',
  TF_SetAttrString: 'v:pbbn',
  TF_SetAttrInt: 'v:pbn',
  TF_SetAttrFloat: 'v:pbf',
  TF_SetAttrBool: 'v:pbu',
  TF_SetAttrType: 'v:pbi',
  TF_SetAttrShape: 'v:pbbi',
  TF_SetAttrTensor: 'v:pbpp',
  TF_SetAttrFuncName: 'v:pbbn',
  TF_SetAttrStringList: 'v:pbbbi',
  TF_SetAttrIntList: 'v:pbbi',
  TF_SetAttrFloatList: 'v:pbbi',
  TF_SetAttrBoolList: 'v:pbbi',
  TF_SetAttrTypeList: 'v:pbbi',
  TF_SetAttrShapeList: 'v:pbbbi',
  TF_FinishOperation: 'p:pp',
  TF_OperationOutputType: 'i:o',
  TF_OperationNumOutputs: 'i:p',
  TF_GraphToFunctionWithControlOutputs: 'p:psuibibibbibbpsp',
  TF_FunctionSetAttrValueProto: 'v:psbnp',
  TF_DeleteFunction: 'v:p',
} as const;

/** TF_Output: an output of a graph operation. */
export interface Output {
  readonly oper: number;
  readonly index: number;
}

interface Kinds {
  p: number;
  i: number;
  u: number;
  n: number;
  f: number;
  s: string;
  b: ArrayBufferView | null;
  o: Output;
  v: undefined;
}
type Kind = keyof Kinds;
type Parameters<S extends string> = S extends `${infer K extends Kind}${infer Rest}`
  ? [Kinds[K], ...Parameters<Rest>]
  : [];
type Prototype<S extends string> = S extends `${infer K extends Kind}:${infer A}`
  ? Native<Parameters<A>, Kinds[K]>
  : never;

/** A C function: called directly, or on a worker thread through `async`. */
export interface Native<A extends unknown[], R> {
  (...parameters: A): R;
  async(...parameters: [...A, (error: Error | null, result: R) => void]): void;
}

export type Symbols = { readonly [Name in keyof typeof prototypes]: Prototype<(typeof prototypes)[Name]> };

const outputType = koffi.struct({ oper: 'uintptr_t', index: 'int' });
const types: Record<string, TypeObject | string> = {
  p: 'uintptr_t',
  i: 'int',
  u: 'uint8_t',
  n: 'int64_t',
  f: 'float',
  s: 'str',
  b: 'void *',
  o: outputType,
  v: 'void',
};

/** The C functions of an open library; throws with the name of the first that it lacks. */
export function bindSymbols(library: LibraryHandle, path: string): Symbols {
  const symbols: Record<string, unknown> = {};
  for (const [name, prototype] of Object.entries(prototypes)) {
    const [result, parameters] = prototype.split(':') as [string, string];
    try {
      symbols[name] = library.func(
        name,
        types[result]!,
        Array.from(parameters, (kind) => types[kind]!),
      );
    } catch (error) {
      throw new Error(
        `${path} has no function ${name}: it is not a TensorFlow 2 library with the C API, or a much older one. ` +
          'Install the pinned version with "hypetune engine install".',
        { cause: error },
      );
    }
  }
  return symbols as unknown as Symbols;
}

/** Copies between a typed array and an address. */
export interface Memory {
  read(target: ArrayBufferView, source: number, bytes: number): void;
  write(target: number, source: ArrayBufferView, bytes: number): void;
}

/** The process's own memcpy, in both directions. */
export function bindMemory(): Memory {
  const process = koffi.load(null);
  return {
    read: process.func('memcpy', 'void', ['void *', 'uintptr_t', 'size_t']) as Memory['read'],
    write: process.func('memcpy', 'void', ['uintptr_t', 'void *', 'size_t']) as Memory['write'],
  };
}
