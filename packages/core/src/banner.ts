import * as tf from '@tensorflow/tfjs-core';

/** A backend that says once, in a banner, that another would be faster. */
interface Advertising {
  firstUse?: boolean;
}

/** Keeps the backends that are registered so far from printing tfjs's banner in Node, which recommends an addon that is not needed here. */
function withoutBanner(): void {
  for (const entry of Object.values(tf.engine().registryFactory)) {
    const { factory } = entry;
    entry.factory = () => {
      const backend = factory();
      if ('firstUse' in backend) (backend as Advertising).firstUse = false;
      return backend;
    };
  }
}

withoutBanner();
