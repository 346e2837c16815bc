import { createRequire } from 'node:module';
import { doctor } from '@hypetune/engine';
import type { Command } from 'commander';
import { print, type Terminal } from '../terminal.js';
import { version } from '../version.js';

export function addDoctor(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('what this machine has, and what would make training faster')
    .action(async () => {
      print(terminal, await doctorReport());
    });
}

/** The machine, the engines and the versions, a line each. */
export async function doctorReport(): Promise<string> {
  const report = await doctor();
  const memory = `${(report.memoryBytes / 2 ** 30).toFixed(0)} GB`;
  return [
    `hypetune ${version}, tfjs ${versionOf('@tensorflow/tfjs-core/package.json')}, Node ${report.node}, ${report.platform}`,
    `${report.processor}, ${report.cores} cores, ${memory}, ${report.nvidiaGpu ? 'an NVIDIA GPU' : 'no NVIDIA GPU'}`,
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

function versionOf(file: string): string {
  return (createRequire(import.meta.url)(file) as { version: string }).version;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ');
}
