import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// `@hypetune/source` makes the workspace packages resolve to their sources, so no build is needed to test.
export default defineConfig({
  resolve: { conditions: ['@hypetune/source'] },
  ssr: { resolve: { conditions: ['@hypetune/source', 'node', 'import', 'module', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: [
      '**/node_modules/**',
      '**/dist/**',
      ...(process.env.HYPETUNE_DEEP ? [] : ['**/*.deep.test.ts']),
    ],
    pool: 'forks',
    // On two cores vitest would use one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
