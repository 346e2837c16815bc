import type { Context } from '../libtensorflow/context.js';
import { Graph } from './graph.js';
import type { RecorderSetting } from './recorder-setting.js';
import { rootEntry, type Entry } from './trie.js';

/** The steps that were recorded in the present context, and how many functions there are of them. */
export class KnownSteps {
  readonly #context: Context;
  readonly #setting: RecorderSetting;
  /** Holds the operations of all of them. */
  graph: Graph;
  root: Entry = rootEntry();
  functions = 0;
  #isCrowded = false;

  constructor(context: Context, setting: RecorderSetting) {
    this.#context = context;
    this.#setting = setting;
    this.graph = new Graph(context);
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
    this.graph.delete();
    this.graph = new Graph(this.#context);
    this.root = rootEntry();
    this.functions = 0;
    this.#isCrowded = false;
  }
}
