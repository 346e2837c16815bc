import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HypetuneError } from '@hypetune/core';
import { hubAccess } from '@hypetune/models';
import type * as hub from '@huggingface/hub';
import type { Command } from 'commander';
import { onInterrupt } from '../interrupt.js';
import { holdsRun, readRun, RUN_RECORD, type RunRecord } from '../run-folder.js';
import { withPlaces } from '../places.js';
import { note, print, printResult, type Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

interface PushFlags {
  readonly public?: true;
  readonly message: string;
  readonly json?: true;
}

/** Of a run, but nobody else's: what it goes on from, the measured rows with their texts, and hashes of these. */
const KEPT = ['checkpoint.safetensors', 'predictions.jsonl', 'checksums.sha256'];

export function addPush(program: Command, terminal: Terminal): void {
  program
    .command('push')
    .description('upload a run or an exported folder to a model hub, with the token in HF_TOKEN')
    .argument('<folder>', 'what train --out, export or TextClassifier wrote')
    .argument('<repository>', 'where to, as owner/name; made where it is not there yet')
    .option('--public', 'a repository that is made may be seen by everybody')
    .option('--message <text>', 'what the commit says', 'Upload by hypetune')
    .addOption(jsonFlag())
    .action(async (folder: string, repository: string, flags: PushFlags) => {
      await push(folder, repository, flags, terminal);
    });
}

async function push(folder: string, repository: string, flags: PushFlags, terminal: Terminal): Promise<void> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new HypetuneError(`push: a repository is named owner/name, got '${repository}'.`);
  if (!existsSync(join(folder, 'config.json')))
    throw new HypetuneError(`${folder}: there is no config.json, so this is no model.`);
  const record = (await holdsRun(folder)) ? await readRun(folder) : undefined;
  if (record?.finished === false) note(terminal, `${folder}: the run is not finished`);
  const { hub: hubUrl } = hubAccess();
  const accessToken = process.env.HF_TOKEN;
  if (!accessToken)
    throw new HypetuneError(`push: ${hubUrl} asks who writes; set HF_TOKEN to a token that may write.`);
  const files = await filesOf(folder);
  const { createRepo, repoExists, uploadFiles } = await hubLibrary();
  const interrupt = onInterrupt(terminal, 'stopping, with nothing committed');
  try {
    const target = { repo: { type: 'model', name: repository }, hubUrl, accessToken } as const;
    if (!(await repoExists(target))) {
      await createRepo({ ...target, visibility: flags.public ? 'public' : 'private' });
      note(terminal, `made ${repository}, ${flags.public ? 'public' : 'private'}`);
    }
    note(terminal, `uploading ${files.join(', ')}`);
    const uploaded = await uploadFiles({
      ...target,
      files: await Promise.all(files.map((path) => uploadOf(folder, path, record))),
      commitTitle: flags.message,
      abortSignal: interrupt.signal,
    });
    const result = { repository: `${hubUrl}/${repository}`, commit: uploaded?.commit.oid, files };
    printResult(terminal, flags.json, result, () => {
      print(terminal, `${result.repository} at ${result.commit ?? 'the same commit'}`);
    });
  } catch (error) {
    if (interrupt.signal.aborted) throw new HypetuneError('push: stopped; nothing was committed.');
    const { message, statusCode } = error as Error & { readonly statusCode?: number };
    const answer = statusCode === undefined ? message : `it answered ${statusCode}: ${message}`;
    throw new HypetuneError(`push: ${hubUrl}/${repository}: ${answer}`, { cause: error });
  } finally {
    interrupt.release();
  }
}

/** What is uploaded, by its path in the folder; nothing whose name begins with a dot. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !KEPT.includes(path) && !path.split('/').some((part) => part.startsWith('.')))
    .sort();
}

/** Texts that may name folders of this machine. */
const NOTES = [RUN_RECORD, 'README.md'];

/** A file as it is uploaded: in a run's notes tables and models are called by their names, wherever they lie here. */
async function uploadOf(
  folder: string,
  path: string,
  record: RunRecord | undefined,
): Promise<{ path: string; content: URL | Blob }> {
  if (!NOTES.includes(path)) return { path, content: pathToFileURL(join(folder, path)) };
  const text = await readFile(join(folder, path), 'utf8');
  return { path, content: new Blob([withPlaces(text, record)]) };
}

/** The hub's own library, which few need and none has to install for the rest. */
async function hubLibrary(): Promise<Pick<typeof hub, 'createRepo' | 'repoExists' | 'uploadFiles'>> {
  try {
    return await import('@huggingface/hub');
  } catch (error) {
    throw new HypetuneError('push: it needs the package of the hub: npm install @huggingface/hub@2.17.5', {
      cause: error,
    });
  }
}
