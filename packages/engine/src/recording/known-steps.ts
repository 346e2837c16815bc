import type { Platform, RecordedGraph } from './platform.js';
import type { RecorderSetting } from './recorder-setting.js';
import { rootEntry, type Entry } from './trie.js';

/** The steps that were recorded, and how many functions there are of them. */
export class KnownSteps {
  readonly #platform: Platform;
  readonly #setting: RecorderSetting;
  /** Holds the operations of all of them. */
  graph: RecordedGraph;
  root: Entry = rootEntry();
  functions = 0;
  #isCrowded = false;

  constructor(platform: Platform, setting: RecorderSetting) {
    this.#platform = platform;
    this.#setting = setting;
    this.graph = platform.newGraph();
  }

  /** Whether there is no room for another function. */
  get isFull(): boolean {
    return this.functions >= this.#setting.limit || this.#isCrowded;
  }

  countFunction(): void {
    this.functions++;
    this.#isCrowded = this.#setting.isCrowded?.() ?? false;
  }

  /** Forgets them all. */
  forget(): void {
    for (const entries = [this.root]; entries.length > 0;) {
      const { functions, children } = entries.pop()!;
      for (const step of functions) step.delete?.();
      entries.push(...children);
    }
    this.graph.delete();
    this.graph = this.#platform.newGraph();
    this.root = rootEntry();
    this.functions = 0;
    this.#isCrowded = false;
  }
}
