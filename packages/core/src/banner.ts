import * as tf from '@tensorflow/tfjs-core';

/** A backend that says once, in a banner, that another would be faster. */
interface Advertising {
  firstUse?: boolean;
}

type Factory = Parameters<typeof tf.registerBackend>[1];

/** A factory whose backend does not print tfjs's banner in Node, which recommends an addon that is not needed here. */
const quiet =
  (factory: Factory): Factory =>
  () => {
    const backend = factory();
    if ('firstUse' in backend) (backend as Advertising).firstUse = false;
    return backend;
  };

// The backends that are registered already, and those that will be.
const engine = tf.engine();
for (const entry of Object.values(engine.registryFactory)) entry.factory = quiet(entry.factory);
const register = engine.registerBackend.bind(engine);
engine.registerBackend = (name, factory, priority) => register(name, quiet(factory), priority);
