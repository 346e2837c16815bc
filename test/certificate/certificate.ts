import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CERTIFIED_CASES, type CertifiedCase } from './cases.js';
import { capture, writeCapture } from './capture.js';
import { CERTIFIED_FAMILIES, type CertifiedFamily } from './families.js';

/** What may differ between PyTorch in float64 and our float32, relative to the largest number of a tensor. */
export const TOLERANCE = 1e-4;

/** What is compared: values before training, gradients, what a step adds, the weights kept in the end. */
export const PARTS = ['start', 'gradients', 'updates', 'kept'] as const;
export type Part = (typeof PARTS)[number];

/** The difference where there is nothing to compare: other weights are trained, another draw was made. */
export const INCOMPARABLE = Number.MAX_VALUE;

/** The largest differences of one method on one family, and of each fault planted in it. */
export interface GradientRow {
  readonly family: string;
  readonly method: string;
  readonly parts: Readonly<Record<Part, number>>;
  readonly largest: number;
  /** Whose number is furthest off, or why nothing could be compared. */
  readonly at: string;
  readonly faults: readonly PlantedFault[];
}

export interface PlantedFault {
  readonly name: string;
  /** What the fault does. */
  readonly what: string;
  readonly difference: number;
}

export interface CertificateOptions {
  /** A Python with torch, transformers 5 and safetensors. */
  readonly python: string;
  readonly families?: readonly CertifiedFamily[];
  readonly cases?: readonly CertifiedCase[];
  /** Plant every method's faults too. */
  readonly faults?: boolean;
  /** File for what PyTorch computed, in short. */
  readonly store?: string;
}

/** Trains every method on every family for a few updates and has PyTorch say what that should have been; the cpu backend must be chosen. */
export async function* certifyGradients({
  python,
  families = CERTIFIED_FAMILIES,
  cases = CERTIFIED_CASES,
  faults = false,
  store,
}: CertificateOptions): AsyncGenerator<GradientRow> {
  const script = fileURLToPath(new URL('python/certify_gradients.py', import.meta.url));
  for (const family of families) {
    const folder = mkdtempSync(join(tmpdir(), 'gradients-'));
    try {
      for (const [place, one] of cases.entries()) {
        const file = `${String(place).padStart(3, '0')}.safetensors`;
        writeCapture(join(folder, file), await capture(family, one));
      }
      const options = [...(faults ? ['--faults'] : []), ...(store === undefined ? [] : ['--store', store])];
      const run = await promisify(execFile)(python, [script, folder, ...options], { maxBuffer: 2 ** 28 });
      for (const line of run.stdout.trim().split('\n')) yield rowOf(JSON.parse(line) as Line);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

/** The answer of the other side. */
interface Line {
  readonly family: string;
  readonly case: string;
  readonly result: Result;
  readonly faults?: Readonly<Record<string, { what: string; result: Result }>>;
}

type Result = { readonly error: string } | Readonly<Record<Part, { difference: number; at: string }>>;

function rowOf({ family, case: method, result, faults = {} }: Line): GradientRow {
  const [largest, at] = worst(result);
  const part = (name: Part): number =>
    'error' in result ? INCOMPARABLE : Math.min(result[name].difference, INCOMPARABLE);
  return {
    ...{ family, method, largest, at },
    parts: Object.fromEntries(PARTS.map((name) => [name, part(name)])) as Record<Part, number>,
    faults: Object.entries(faults).map(([name, fault]) => ({
      name,
      what: fault.what,
      difference: worst(fault.result)[0],
    })),
  };
}

function worst(result: Result): [difference: number, at: string] {
  if ('error' in result) return [INCOMPARABLE, result.error];
  const part = PARTS.reduce((most, name) =>
    result[name].difference > result[most].difference ? name : most,
  );
  return [Math.min(result[part].difference, INCOMPARABLE), `${part}: ${result[part].at}`];
}
