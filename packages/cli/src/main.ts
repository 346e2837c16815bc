import { main } from './program.js';

// A reader that has enough (`| head`) ends the command quietly; a terminal that is gone must not end a run.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.stderr.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2), { out: process.stdout, error: process.stderr });
