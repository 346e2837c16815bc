import { type Attribute, type Constant, ELEMENT_TYPES, type Node, type Value } from './graph.js';
import type { ModelGraph } from './model-graph.js';
import { Message } from './protobuf.js';

/** The version of the operations (May 2022), the newest that the runtime of @xenova/transformers 2 knows next to 18. */
const OPSET = 17;
/** The version of the file format that came with it. */
const IR_VERSION = 8;
const PRODUCER = 'hypetune';

/** A protobuf message has at most 2 GiB; from here on constants stand in a file of their own. */
export const MOST_BYTES = 2 ** 31 - 2 ** 20;
/** The bytes of a graph as an ONNX file; throws where they are more than a protobuf message holds. */
export function modelBytes(model: ModelGraph): Uint8Array {
  const message = modelMessage(model, new Map());
  if (message.byteLength > MOST_BYTES)
    throw new Error(
      `onnx: the model has ${message.byteLength} bytes, too many for one file; write it by writeModel.`,
    );
  const bytes = new Uint8Array(message.byteLength);
  let at = 0;
  for (const chunk of message.chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Where a constant's bytes are that stand in another file. */
export interface Place {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

// The numbers are those of the fields in onnx.proto.

/** A graph as a message, the constants of `places` left out. */
export function modelMessage(model: ModelGraph, places: ReadonlyMap<Value, Place>): Message {
  return new Message()
    .integer(1, IR_VERSION)
    .text(2, PRODUCER)
    .message(7, graphMessage(model, places))
    .message(8, new Message().text(1, '').integer(2, OPSET));
}

function graphMessage({ graph, inputs, output }: ModelGraph, places: ReadonlyMap<Value, Place>): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.text(2, PRODUCER);
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  for (const [name, constant] of graph.constants)
    if (read.has(name)) message.message(5, tensorMessage(name, constant, places.get(name)));
  for (const name of inputs) message.message(11, valueMessage(name, 'int64', ['batch', 'sequence']));
  return message.message(12, valueMessage(output.name, 'float', output.dims));
}

function nodeMessage({ op, name, inputs, outputs, attributes }: Node): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value));
  return message;
}

/** Numbers of the attributes' types. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, ATTRIBUTE_TYPES.int);
  if ('float' in value) return message.float(2, value.float).integer(20, ATTRIBUTE_TYPES.float);
  for (const item of value) message.integer(8, item);
  return message.integer(20, ATTRIBUTE_TYPES.ints);
}

function tensorMessage(name: Value, { type, dims, bytes }: Constant, place: Place | undefined): Message {
  const message = new Message();
  for (const size of dims) message.integer(1, size);
  message.integer(2, ELEMENT_TYPES[type]).text(8, name);
  if (!place) return message.bytes(9, bytes);
  for (const [key, value] of Object.entries(place))
    message.message(13, new Message().text(1, key).text(2, String(value)));
  return message.integer(14, 1);
}

function valueMessage(
  name: Value,
  type: keyof typeof ELEMENT_TYPES,
  dims: readonly (string | number)[],
): Message {
  const shape = new Message();
  for (const size of dims) {
    const dimension = new Message();
    shape.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.text(2, size));
  }
  const tensor = new Message().integer(1, ELEMENT_TYPES[type]).message(2, shape);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
