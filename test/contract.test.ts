import { fileURLToPath } from 'node:url';
import { describeContract } from '@hypetune/testing';
import { registry } from './support/registry.js';

const packages = new URL('../packages/', import.meta.url);
describeContract(
  registry.map((entry) => ({
    ...entry,
    folder: entry.folder ?? fileURLToPath(new URL(entry.create().name, packages)),
  })),
);
