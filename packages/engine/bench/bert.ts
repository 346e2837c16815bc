import { attention, gelu, layerNorm, linear } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Classifier } from './training.js';

/** Sizes of an encoder. */
export interface Shape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
}

export const shapes: Readonly<Record<string, Shape>> = {
  'BERT-tiny': { layers: 2, hidden: 128, heads: 2, intermediate: 512 },
  'MiniLM-L6': { layers: 6, hidden: 384, heads: 12, intermediate: 1536 },
  'BERT-base': { layers: 12, hidden: 768, heads: 12, intermediate: 3072 },
  'BERT-large': { layers: 24, hidden: 1024, heads: 16, intermediate: 4096 },
};

const VOCABULARY = 30_522;
const POSITIONS = 512;
const EPSILON = 1e-12;

/** A BERT classifier with two classes in plain tfjs. */
export class Bert implements Classifier {
  readonly #shape: Shape;
  readonly #weights = new Map<string, tf.Variable>();

  constructor(shape: Shape) {
    this.#shape = shape;
    const { hidden, intermediate } = shape;
    this.#matrix('word', VOCABULARY, hidden);
    this.#matrix('position', POSITIONS, hidden);
    this.#matrix('type', 2, hidden);
    this.#norm('norm');
    for (let layer = 0; layer < shape.layers; layer++) {
      for (const name of ['q', 'k', 'v', 'o']) this.#linear(`${layer}.${name}`, hidden, hidden);
      this.#norm(`${layer}.n1`);
      this.#linear(`${layer}.i`, hidden, intermediate);
      this.#linear(`${layer}.f`, intermediate, hidden);
      this.#norm(`${layer}.n2`);
    }
    this.#linear('pool', hidden, hidden);
    this.#linear('head', hidden, 2);
  }

  get weights(): tf.Variable[] {
    return [...this.#weights.values()];
  }

  #matrix(name: string, rows: number, columns: number): void {
    const values = new Float32Array(rows * columns);
    let seed = this.#weights.size + 1;
    for (let i = 0; i < values.length; i++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      values[i] = seed * 2 ** -31 * 0.035;
    }
    this.#add(name, tf.tensor(values, [rows, columns]));
  }

  #linear(name: string, inputs: number, outputs: number): void {
    this.#matrix(`${name}.kernel`, inputs, outputs);
    this.#add(`${name}.bias`, tf.zeros([outputs]));
  }

  #norm(name: string): void {
    this.#add(`${name}.scale`, tf.ones([this.#shape.hidden]));
    this.#add(`${name}.offset`, tf.zeros([this.#shape.hidden]));
  }

  #add(name: string, value: tf.Tensor): void {
    this.#weights.set(name, tf.variable(value, true));
    value.dispose();
  }

  #get<T extends tf.Tensor>(name: string): T {
    return this.#weights.get(name) as unknown as T;
  }

  #applyLinear(name: string, x: tf.Tensor): tf.Tensor {
    return linear(x, this.#get(`${name}.kernel`), this.#get(`${name}.bias`));
  }

  #applyNorm(name: string, x: tf.Tensor): tf.Tensor {
    return layerNorm(x, this.#get(`${name}.scale`), this.#get(`${name}.offset`), EPSILON);
  }

  /** ids [B, T] int32 -> logits [B, 2]. */
  logits(ids: tf.Tensor2D): tf.Tensor2D {
    const [batch, length] = ids.shape;
    const { hidden, heads, layers } = this.#shape;
    const positions = tf.slice(this.#get<tf.Tensor2D>('position'), [0, 0], [length, hidden]);
    const types = tf.slice(this.#get<tf.Tensor2D>('type'), [0, 0], [1, hidden]);
    let x = tf.add(tf.add(tf.gather(this.#get<tf.Tensor2D>('word'), ids), positions), types);
    x = this.#applyNorm('norm', x);
    for (let layer = 0; layer < layers; layer++) {
      const [q, k, v] = ['q', 'k', 'v'].map((name) => this.#applyLinear(`${layer}.${name}`, x)) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      x = this.#applyNorm(
        `${layer}.n1`,
        tf.add(x, this.#applyLinear(`${layer}.o`, attention(q, k, v, heads))),
      );
      const inner = gelu(this.#applyLinear(`${layer}.i`, x));
      x = this.#applyNorm(`${layer}.n2`, tf.add(x, this.#applyLinear(`${layer}.f`, inner)));
    }
    const first = tf.reshape(tf.slice(x, [0, 0, 0], [batch, 1, hidden]), [batch, hidden]);
    return this.#applyLinear('head', tf.tanh(this.#applyLinear('pool', first))) as tf.Tensor2D;
  }
}
