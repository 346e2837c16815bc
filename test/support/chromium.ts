import { existsSync } from 'node:fs';

const PLACES = [
  process.env.HYPETUNE_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where Chromium is on this machine; undefined where it is not. */
export const CHROMIUM = PLACES.find((path) => path !== undefined && existsSync(path));

if (CHROMIUM === undefined)
  console.warn(
    'skipped: tests in a browser (no Chromium here; apt-get install chromium, or name it by HYPETUNE_CHROMIUM)',
  );
