import type { Part } from '../part.js';
import { full } from './full.js';
import { kills } from './kills.js';
import { parsers } from './parsers.js';
import { power } from './power.js';
import { updates } from './updates.js';

export const parts: readonly Part[] = [kills, power, full, parsers, updates];
