import { HypetuneError } from '@hypetune/core';
import { chooseEngine, type EngineName, engineNames } from '@hypetune/engine';
import { note, type Terminal } from './terminal.js';

/** Starts the engine that the setting, HYPETUNE_ENGINE or the machine calls for, and says which it is and why. */
export async function startEngine(terminal: Terminal, engine: string | undefined): Promise<string> {
  const { name, reason } = await chooseEngine({
    ...(engine !== undefined && { force: engineName(engine) }),
    onWarning: (message) => {
      note(terminal, `warning: ${message}`);
    },
  });
  note(terminal, `engine: ${reason}`);
  return name;
}

/** The engine that runs are done on: started, or where other machines do them, only named. */
export async function engineOf(
  { engine }: { readonly engine?: string | undefined },
  elsewhere: boolean,
  terminal: Terminal,
): Promise<string> {
  return elsewhere && engine !== undefined ? engineName(engine) : startEngine(terminal, engine);
}

/** The engine of this name; throws with the names there are. */
export function engineName(name: string): EngineName {
  const known = engineNames.find((engine) => engine === name);
  if (known) return known;
  throw new HypetuneError(`--engine: there is no engine '${name}'; there are ${engineNames.join(', ')}.`);
}
