import { chooseEngine, type EngineName } from '@hypetune/engine';
import { note, type Terminal } from './terminal.js';

/** Starts the engine that the setting, HYPETUNE_ENGINE or the machine calls for, and says which it is and why. */
export async function startEngine(terminal: Terminal, engine: EngineName | undefined): Promise<string> {
  const { name, reason } = await chooseEngine({
    ...(engine !== undefined && { force: engine }),
    onWarning: (message) => {
      note(terminal, `warning: ${message}`);
    },
  });
  note(terminal, `engine: ${reason}`);
  return name;
}

/** The engine that runs are done on: started, or where other machines do them, only named. */
export async function engineOf(
  { engine }: { readonly engine?: EngineName | undefined },
  elsewhere: boolean,
  terminal: Terminal,
): Promise<string> {
  return elsewhere && engine !== undefined ? engine : startEngine(terminal, engine);
}
