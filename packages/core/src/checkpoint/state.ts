import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from '../errors.js';
import type { Host } from '../host.js';
import type { AdamW } from '../optim/adamw.js';
import type { Phases } from '../phases.js';
import type { Plugin } from '../plugin.js';
import type { KeptTensors } from '../stores.js';
import { upload, type Snapshot, type SnapshotMeta } from './snapshot.js';

/** The tensors that a run consists of. */
export interface RunState {
  readonly host: Host;
  readonly optimizer: AdamW;
  /** Weights of the best epoch so far. */
  readonly best: KeptTensors;
}

/** Every tensor of a run by its name in a snapshot. */
export function stateTensors({ host, optimizer, best }: RunState): Map<string, tf.Tensor> {
  const state = new Map<string, tf.Tensor>();
  for (const { name, variable } of host.allParameters) state.set(`model/${name}`, variable);
  for (const [name, { first, second }] of optimizer.state())
    state.set(`first/${name}`, first).set(`second/${name}`, second);
  const stores = [...host.stores].map(([name, store]) => [`plugin/${name}`, store] as const);
  for (const [prefix, store] of [['reference', host.references], ['best', best], ...stores] as const)
    for (const name of store.names()) state.set(`${prefix}/${name}`, store.get(name)!);
  return state;
}

/**
 * Puts the tensors of a snapshot into a run, and hands each plugin its plain state. A parameter that is first trained after it
 * starts anew: the shorter run may never have trained it.
 */
export function restoreTensors(
  { host, optimizer, best }: RunState,
  snapshot: Snapshot,
  phases: Phases,
  plugins: readonly Plugin[],
): void {
  const { step } = snapshot.meta;
  const later = new Set(phases.ever.flatMap((one) => (phases.since(one) > step ? [one.name] : [])));
  const assign = (name: string, variable: tf.Variable): void => {
    tf.tidy(() => {
      variable.assign(upload(snapshot, name, variable.shape));
    });
  };
  for (const { name, variable } of host.allParameters) assign(`model/${name}`, variable);
  for (const [name, { first, second }] of optimizer.state()) {
    if (later.has(name)) continue;
    assign(`first/${name}`, first);
    assign(`second/${name}`, second);
  }
  for (const path of Object.keys(snapshot.tensors)) {
    const [prefix, rest] = splitOnce(path);
    if (prefix === 'reference') host.references.set(rest, upload(snapshot, path));
    if (prefix === 'best') best.set(rest, upload(snapshot, path));
    if (prefix !== 'plugin') continue;
    const [plugin, name] = splitOnce(rest);
    host.tensors(plugin).set(name, upload(snapshot, path));
  }
  for (const plugin of plugins) plugin.restore?.(snapshot.meta.plugins[plugin.name]!);
}

/** What a run must have in common with the one that it goes on from. */
export interface Resumed {
  readonly seed: number;
  readonly plugins: readonly Plugin[];
  /** Updates an epoch. */
  readonly stepsPerEpoch: number;
  /** Updates that it makes. */
  readonly total: number;
}

/**
 * Refuses a snapshot of another run: another seed, other plugins or epochs of another length; or one after which this run has nothing left
 * to do.
 */
export function checkSnapshot(meta: SnapshotMeta, { seed, plugins, stepsPerEpoch, total }: Resumed): void {
  const ours = plugins.map(({ name }) => name).sort();
  const theirs = Object.keys(meta.plugins).sort();
  if (meta.seed !== seed || ours.join() !== theirs.join())
    throw new HypetuneError(
      `resume: the snapshot is of seed ${meta.seed}, plugins [${theirs.join(', ')}]; this run has seed ${seed}, ` +
        `plugins [${ours.join(', ')}]. Resume with the same settings.`,
    );
  if ((meta.stepsPerEpoch ?? stepsPerEpoch) !== stepsPerEpoch)
    throw new HypetuneError(
      `resume: an epoch of the snapshot's run has ${meta.stepsPerEpoch} updates, one of this run ${stepsPerEpoch}. ` +
        `Resume with the same data, batchSize and accumulate.`,
    );
  if (meta.step < total || (meta.step === total && meta.open)) return;
  throw new HypetuneError(
    `resume: the snapshot has made ${meta.step} updates and this run has ${total}; give it more epochs or steps.`,
  );
}

function splitOnce(path: string): [string, string] {
  const at = path.indexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
