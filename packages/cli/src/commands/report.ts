import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { type Command, Option } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import { METHODS } from '../methods.js';
import { comparisonPage } from '../report/html/comparison-page.js';
import { runPage } from '../report/html/run-page.js';
import {
  comparisonData,
  csv,
  jsonl,
  latex,
  markdown,
  REPORT_FORMATS,
  type ReportFormat,
} from '../report/formats.js';
import { savedRunReport } from '../report/saved-run.js';
import { compareStored } from '../report/stored-comparison.js';
import { type ComparisonPlan, joinedPlan } from '../store/plan.js';
import type { CurveLine } from '../store/record.js';
import { Store } from '../store/store.js';
import { shellLine } from '../shell-word.js';
import { note, print, type Terminal } from '../terminal.js';

interface ReportFlags {
  readonly out?: string;
  readonly format: ReportFormat;
  readonly title?: string;
  readonly json?: true;
}

export function addReport(program: Command, terminal: Terminal): void {
  program
    .command('report')
    .description('a report of a store of runs, or of one run, as a file that needs nothing else')
    .argument('<folder>', 'what compare --store or train --out filled')
    .option('--out <file>', 'where to (default: report.html; other formats are printed)')
    .addOption(
      new Option('--format <format>', 'how it is written').choices([...REPORT_FORMATS]).default('html'),
    )
    .option('--title <text>', 'what stands at the top')
    .addOption(
      new Option('--json', 'print all that is known as JSON, and write nothing').conflicts(['out', 'format']),
    )
    .action(async (folder: string, flags: ReportFlags) => {
      const out = flags.out ?? (flags.format === 'html' && !flags.json ? 'report.html' : undefined);
      if (out !== undefined) await checkOutputFile(out);
      const text = existsSync(join(folder, 'store.json'))
        ? await ofStore(folder, flags, terminal)
        : await ofRun(folder, flags);
      if (out === undefined) print(terminal, text);
      else {
        await writeWhole(out, text.endsWith('\n') ? text : `${text}\n`);
        note(terminal, `written to ${out}`);
      }
    });
}

async function ofStore(
  folder: string,
  { format, title, json }: ReportFlags,
  terminal: Terminal,
): Promise<string> {
  const store = Store.existing(folder);
  const { plan, leftOut } = await joinedPlan(store);
  for (const { command } of leftOut)
    note(
      terminal,
      `left out: ${shellLine(command)}. Its runs have other settings, rows, weights or code; do it once more to report on it, or give it a --store of its own.`,
    );
  const { cells, comparison } = await compareStored(store, plan);
  if (json) return JSON.stringify(comparisonData(plan, cells, comparison), null, 2);
  if (format === 'markdown') return markdown(plan, cells, comparison);
  if (format === 'latex') return latex(plan, comparison);
  if (format === 'csv') return csv(plan, cells);
  if (format === 'jsonl') return jsonl(cells);
  const curves = new Map<string, readonly CurveLine[]>();
  for (const { key, run } of cells) if (run) curves.set(key, await store.curve(key));
  return comparisonPage({ plan, cells, comparison, curves, title, costOf: (name) => costOf(plan, name) });
}

/** What the methods of a recipe cost, in their own words. */
function costOf(plan: ComparisonPlan, name: string): string {
  const { entry } = plan.recipes.find((recipe) => recipe.name === name)!;
  const names = (entry?.plugins ?? []).map((plugin) => (typeof plugin === 'string' ? plugin : plugin.name));
  return names.map((method) => METHODS.get(method)?.cost ?? method).join('; ') || '-';
}

async function ofRun(folder: string, { format, title, json }: ReportFlags): Promise<string> {
  if (format !== 'html')
    throw new HypetuneError(`--format: of one run there is a report as html, got '${format}'.`);
  const report = await savedRunReport(folder, title);
  return json
    ? JSON.stringify({ ...report, facts: Object.fromEntries(report.facts) }, null, 2)
    : runPage(report);
}
