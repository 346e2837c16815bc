/** One attribute of an operation, as tfjs-node's kernels write it; an array is a list attribute, or a shape. */
export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}
