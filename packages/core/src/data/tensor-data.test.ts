import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import { tensorData } from './tensor-data.js';

test('picks the rows asked for, of every input, in order', () => {
  const values = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
  const tokens = tf.tensor2d([7, 8, 9], [3, 1], 'int32');
  const before = tf.memory().numTensors;
  const data = tensorData([values, tokens], [0, 1, 0]);
  const [first, second] = data.inputs([2, 0, 2]);
  expect([...first!.dataSync()]).toEqual([5, 6, 1, 2, 5, 6]);
  expect([...second!.dataSync()]).toEqual([9, 7, 9]);
  expect(second!.dtype).toBe('int32');
  expect([data.size, data.label(1)]).toEqual([3, 1]);
  tf.dispose([first!, second!]);
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([values, tokens]);
});

test('labels are a tensor too, of a number or a list a row', () => {
  const values = tf.zeros([3, 2]);
  const [classes, targets] = [tf.tensor1d([0, 2, 1], 'int32'), tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2])];
  const [one, many] = [tensorData(values, classes), tensorData(values, targets)];
  tf.dispose([classes, targets]);
  expect([one.size, one.label(1), many.label(2)]).toEqual([3, 2, [5, 6]]);
  expect(() => tensorData(values, tf.scalar(1))).toThrow(
    'tensorData: labels must be numbers of shape [rows] or [rows, labels of a row], got float32 of shape [].',
  );
  values.dispose();
});

test('as many labels as rows', () => {
  const values = tf.zeros([3, 2]);
  expect(() => tensorData(values, [0, 1])).toThrow(
    'tensorData: input 0 has shape [3, 2] but there are 2 labels',
  );
  expect(() => tensorData([], [])).toThrow('at least one input');
  values.dispose();
});

test('labels and inputs that are neither are refused by what they are', () => {
  const inputs = tf.zeros([2, 2]);
  expect(() => tensorData(inputs, {} as unknown as number[])).toThrow(
    'tensorData: labels must be a list of the label of each row, or a tensor of them, got {}.',
  );
  expect(() => tensorData([[1, 2]] as unknown as tf.Tensor[], [1])).toThrow(
    'tensorData: input 0 must be a tensor [rows, ...], got [1,2]; make one with tf.tensor.',
  );
  expect(tensorData(inputs, Int32Array.of(0, 1) as unknown as number[]).label(1)).toBe(1);
  inputs.dispose();
});
