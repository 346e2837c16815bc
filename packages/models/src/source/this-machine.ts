import { hostname } from 'node:os';

/** This machine or container, as a part of a file's name. */
export const HOST = hostname().replace(/[^\w.-]/g, '_');

/** Whether a process of this number runs on this machine. */
export function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
