import type { ScheduleSettings } from '../options.js';

/**
 * Factor of the peak learning rate at an update (counted from 1) out of `total`: up on a line over the warm-up, then
 * down to 0 on a line or half a cosine, or constant. As in transformers' schedules, the first update of a warm-up has
 * factor 0.
 */
export function scheduleFactor(schedule: ScheduleSettings, update: number, total: number): number {
  const warmup = schedule.warmup < 1 ? Math.ceil(schedule.warmup * total) : schedule.warmup;
  const done = update - 1;
  if (done < warmup) return done / Math.max(1, warmup);
  const left = Math.max(0, (total - done) / Math.max(1, total - warmup));
  switch (schedule.decay) {
    case 'constant':
      return 1;
    case 'linear':
      return left;
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * (1 - left)));
  }
}
