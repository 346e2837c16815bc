#!/usr/bin/env node
import { main } from 'hypetune';

const terminal = { out: process.stdout, error: process.stderr };
process.exitCode = await main(['init', ...process.argv.slice(2)], terminal);
