import type { Part } from '../part.js';
import { parsers } from './parsers.js';
import { updates } from './updates.js';

export const parts: readonly Part[] = [parsers, updates];
