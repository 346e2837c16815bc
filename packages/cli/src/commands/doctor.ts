import { createRequire } from 'node:module';
import { doctor, type DoctorReport } from '@hypetune/engine';
import type { Command } from 'commander';
import { print, printResult, type Terminal } from '../terminal.js';
import { version } from '../version.js';
import { jsonFlag } from './flags.js';

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('what this machine has, and what would make training faster')
    .addOption(jsonFlag())
    .action(async ({ json }: { json?: true }) => {
      await printDoctor(terminal, json);
    });
}

/** Prints what the machine has: as JSON, or a line each. */
export async function printDoctor(terminal: Terminal, json: boolean | undefined): Promise<void> {
  const versions = { hypetune: version, tfjs: versionOf('@tensorflow/tfjs-core/package.json') };
  const report = await doctor();
  printResult(terminal, json, { versions, ...report }, () => {
    print(terminal, reportText(report, versions));
  });
}

function reportText(report: DoctorReport, versions: Readonly<Record<'hypetune' | 'tfjs', string>>): string {
  const memory = `${(report.memoryBytes / 2 ** 30).toFixed(0)} GB`;
  return [
    `hypetune ${versions.hypetune}, tfjs ${versions.tfjs}, Node ${report.node}, ${report.platform}`,
    `${report.processor}, ${report.cores} cores, ${memory}, ${describeNvidia(report.nvidia)}`,
    `cache: ${report.cacheFolder}`,
    '',
    ...report.engines.map(({ name, works, reason }) => `${works ? '+' : '-'} ${name}: ${oneLine(reason)}`),
    '',
    `training would run on: ${report.best ?? 'nothing'}`,
    ...(report.advice.length > 0
      ? report.advice.map((advice) => `faster: ${advice}`)
      : ['nothing to improve']),
  ].join('\n');
}

function describeNvidia(report: DoctorReport['nvidia']): string {
  if (report === undefined) return 'no NVIDIA GPU';
  const cards = report.cards.map(
    ({ name, memoryBytes }) => `${name} (${(memoryBytes / 2 ** 30).toFixed(0)} GB)`,
  );
  const driver = report.driver === undefined ? 'a driver that does not answer' : `driver ${report.driver}`;
  return `${cards.join(', ') || 'an NVIDIA GPU'} with ${driver}`;
}

function versionOf(file: string): string {
  return (createRequire(import.meta.url)(file) as { version: string }).version;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
