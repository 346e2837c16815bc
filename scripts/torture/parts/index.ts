import type { Part } from '../part.js';
import { kills } from './kills.js';
import { parsers } from './parsers.js';
import { updates } from './updates.js';

export const parts: readonly Part[] = [kills, parsers, updates];
