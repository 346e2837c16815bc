import {
  TF_ATTR_BOOL,
  TF_ATTR_FLOAT,
  TF_ATTR_FUNC,
  TF_ATTR_INT,
  TF_ATTR_SHAPE,
  TF_ATTR_STRING,
  TF_ATTR_TENSOR,
  TF_ATTR_TYPE,
  cName,
  dimensions,
} from '../recording/data-types.js';
import type { Attribute } from '../recording/attribute.js';
import type { Library } from './library.js';

/** What sets attributes: an eager operation or a graph operation that is being described. */
type Target = 'eager' | 'graph';

/** Sets the attributes of an operation; the caller checks the status afterwards. */
export function setAttributes(
  library: Library,
  target: Target,
  operation: number,
  attributes: readonly Attribute[],
): void {
  for (const attribute of attributes) {
    if (Array.isArray(attribute.value))
      setList(library, target, operation, attribute, attribute.value as unknown[]);
    else setSingle(library, target, operation, attribute);
  }
}

function setSingle(
  { symbols: s, status }: Library,
  target: Target,
  operation: number,
  attribute: Attribute,
): void {
  const eager = target === 'eager';
  const name = cName(attribute.name);
  const { type, value } = attribute;
  switch (type) {
    case TF_ATTR_TYPE:
      (eager ? s.TFE_OpSetAttrType : s.TF_SetAttrType)(operation, name, value as number);
      return;
    case TF_ATTR_BOOL:
      (eager ? s.TFE_OpSetAttrBool : s.TF_SetAttrBool)(operation, name, value ? 1 : 0);
      return;
    case TF_ATTR_INT:
      (eager ? s.TFE_OpSetAttrInt : s.TF_SetAttrInt)(operation, name, value as number);
      return;
    case TF_ATTR_FLOAT:
      (eager ? s.TFE_OpSetAttrFloat : s.TF_SetAttrFloat)(operation, name, value as number);
      return;
    case TF_ATTR_STRING:
    case TF_ATTR_FUNC: {
      const text = value instanceof Uint8Array ? value : Buffer.from(String(value));
      const string = eager ? s.TFE_OpSetAttrString : s.TF_SetAttrString;
      const functionName = eager ? s.TFE_OpSetAttrFunctionName : s.TF_SetAttrFuncName;
      (type === TF_ATTR_STRING ? string : functionName)(operation, name, text, text.length);
      return;
    }
    case TF_ATTR_TENSOR:
      (eager ? s.TFE_OpSetAttrTensor : s.TF_SetAttrTensor)(operation, name, value as number, status);
      return;
    default:
      throw unknown(attribute);
  }
}

function setList(
  library: Library,
  target: Target,
  operation: number,
  attribute: Attribute,
  values: unknown[],
): void {
  const { symbols: s, status } = library;
  const eager = target === 'eager';
  const name = cName(attribute.name);
  const count = values.length;
  switch (attribute.type) {
    case TF_ATTR_TYPE:
      (eager ? s.TFE_OpSetAttrTypeList : s.TF_SetAttrTypeList)(
        operation,
        name,
        Int32Array.from(values as number[]),
        count,
      );
      return;
    case TF_ATTR_BOOL: {
      const flags = Uint8Array.from(values, (value) => (value ? 1 : 0));
      (eager ? s.TFE_OpSetAttrBoolList : s.TF_SetAttrBoolList)(operation, name, flags, count);
      return;
    }
    case TF_ATTR_INT:
      (eager ? s.TFE_OpSetAttrIntList : s.TF_SetAttrIntList)(
        operation,
        name,
        dimensions(values as number[]),
        count,
      );
      return;
    case TF_ATTR_FLOAT:
      (eager ? s.TFE_OpSetAttrFloatList : s.TF_SetAttrFloatList)(
        operation,
        name,
        Float32Array.from(values as number[]),
        count,
      );
      return;
    case TF_ATTR_STRING: {
      const texts = values.map((value) => (value instanceof Uint8Array ? value : Buffer.from(String(value))));
      const lengths = BigUint64Array.from(texts, (text) => BigInt(text.length));
      withAddresses(library, texts, (addresses) => {
        (eager ? s.TFE_OpSetAttrStringList : s.TF_SetAttrStringList)(
          operation,
          name,
          addresses,
          lengths,
          count,
        );
      });
      return;
    }
    case TF_ATTR_SHAPE: {
      if (!values.some(Array.isArray)) {
        const shape = dimensions(values as number[]);
        if (eager) s.TFE_OpSetAttrShape(operation, name, shape, count, status);
        else s.TF_SetAttrShape(operation, name, shape, count);
        return;
      }
      const ranks = Int32Array.from(values as number[][], (shape) => shape.length);
      withAddresses(library, (values as number[][]).map(dimensions), (addresses) => {
        if (eager) s.TFE_OpSetAttrShapeList(operation, name, addresses, ranks, count, status);
        else s.TF_SetAttrShapeList(operation, name, addresses, ranks, count);
      });
      return;
    }
    default:
      throw unknown(attribute);
  }
}

/** Copies arrays to C memory for the time of a call that wants an array of their addresses. */
function withAddresses(
  library: Library,
  arrays: ArrayBufferView[],
  use: (addresses: BigUint64Array) => void,
): void {
  const { symbols: s, memory } = library;
  const total = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  const block = s.TF_AllocateTensor(4, BigInt64Array.of(BigInt(Math.max(total, 1))), 1, Math.max(total, 1));
  try {
    const addresses = new BigUint64Array(arrays.length);
    let address = s.TF_TensorData(block);
    arrays.forEach((array, i) => {
      if (array.byteLength > 0) memory.write(address, array, array.byteLength);
      addresses[i] = BigInt(address);
      address += array.byteLength;
    });
    use(addresses);
  } finally {
    s.TF_DeleteTensor(block);
  }
}

function unknown(attribute: Attribute): Error {
  return new Error(
    `Attribute "${attribute.name}" has kind ${attribute.type}, which no operation of TensorFlow takes.`,
  );
}
