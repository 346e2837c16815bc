import type { Part } from '../part.js';
import { flips } from './flips.js';
import { full } from './full.js';
import { kills } from './kills.js';
import { parsers } from './parsers.js';
import { power } from './power.js';
import { resume } from './resume.js';
import { updates } from './updates.js';

/** In the order in which they run: the long ones last. */
export const parts: readonly Part[] = [flips, power, full, kills, resume, parsers, updates];
