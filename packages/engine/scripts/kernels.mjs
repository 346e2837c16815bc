/**
 * Puts the JavaScript of tfjs-node that the native engine runs on, its kernels and its backend class, into one file of the
 * package, `dist/tfjs-node.cjs`, so that users need neither tfjs-node nor its install script. In a checkout without that file the
 * engine takes the code from the package itself.
 *
 *     node packages/engine/scripts/kernels.mjs
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = fileURLToPath(new URL('..', import.meta.url));

/** tfjs-node asks for all of tfjs and for the messages of TensorBoard; its kernels use tfjs-core alone. */
const coreAlone = {
  name: 'core-alone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@tensorflow\/tfjs(-core)?$/ }, () => ({
      path: '@tensorflow/tfjs-core',
      external: true,
    }));
    onResolve({ filter: /\/api_pb$/ }, () => ({ path: 'none', namespace: 'none' }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: '' }));
  },
};

await build({
  stdin: {
    contents: `
      require('@tensorflow/tfjs-node/dist/register_all_kernels');
      exports.NodeJSKernelBackend = require('@tensorflow/tfjs-node/dist/nodejs_kernel_backend').NodeJSKernelBackend;`,
    resolveDir: folder,
  },
  ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node20', minifyWhitespace: true },
  // The licence of each file stands at the end, once for all that share it.
  legalComments: 'eof',
  banner: { js: '/* Made from @tensorflow/tfjs-node 4.22.0 (Apache-2.0); see NOTICE. */' },
  plugins: [coreAlone],
  outfile: `${folder}/dist/tfjs-node.cjs`,
});
