import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parts } from './parts/index.js';
import { type PartState, StateFile } from './state.js';

/** What is known of a part, as the page has it. */
export interface Published {
  readonly name: string;
  readonly summary: string;
  readonly unit: string;
  readonly goal: number;
  readonly done: number;
  readonly state: PartState;
}

const FILE = new URL('../../docs/torture.json', import.meta.url);

/** Writes the figures of a state folder beside the page that shows them. */
export function publish(folder: string): void {
  const published = parts.map(({ name, summary, unit, goal, size = 1 }): Published => {
    const file = join(folder, `${name}.json`);
    const { state } = new StateFile(file);
    if (!existsSync(file)) state.skipped = 'not tried';
    return { name, summary, unit, goal, done: state.trials * size, state };
  });
  writeFileSync(FILE, `${JSON.stringify(published, null, 1)}\n`);
}
