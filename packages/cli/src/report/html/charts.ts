import type { Interval } from '@hypetune/statistics';
import { escape } from './escape.js';

const WIDTH = 480;

/** A straight scale of values to places. */
interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

function scale(values: readonly number[], from: number, to: number, count = 5): Scale {
  const finite = values.filter(Number.isFinite);
  let [low, high] = [Infinity, -Infinity];
  for (const value of finite) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (!(high > low)) [low, high] = [low - (Math.abs(low) || 1) * 0.05, high + (Math.abs(high) || 1) * 0.05];
  const step = niceStep((high - low) / count);
  low = Math.floor(low / step + 1e-9) * step;
  high = Math.ceil(high / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, place) => low + place * step);
  return Object.assign((value: number) => from + ((value - low) / (high - low)) * (to - from), { ticks });
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((nice) => nice * power >= rough * 0.999)!;
  return factor * power;
}

function tickText(value: number, step: number): string {
  const digits = Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toFixed(digits).replace(/^-(0(\.0*)?)$/, '$1');
}

const texts = (scaled: Scale): string[] =>
  scaled.ticks.map((tick) => tickText(tick, (scaled.ticks[1] ?? 1) - (scaled.ticks[0] ?? 0)));
const n = (value: number): string => value.toFixed(1);

/** A picture's name with what it shows in words, for those who do not see it. */
const inWords = (title: string, parts: readonly (readonly [name: string, ...values: number[]])[]): string =>
  `${title}: ${parts.map(([name, ...values]) => `${name} ${values.map((value) => Number(value.toPrecision(4))).join(' at ')}`).join(', ')}`;

function svg(height: number, title: string, body: readonly string[]): string {
  return `<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(title)}">${body.join('')}</svg></div>`;
}

/** A line of an interval picture. */
export interface IntervalRow {
  readonly name: string;
  readonly center: number;
  readonly interval?: Interval | undefined;
  /** Single runs. */
  readonly points: readonly number[];
  /** Which of the colours. */
  readonly series: number;
}

/** Centres with their intervals and single runs, one below the other; a line at `zero`. */
export function intervalChart(rows: readonly IntervalRow[], title: string, zero?: number): string {
  const values = rows.flatMap(({ center, interval, points }) => [
    center,
    interval?.low ?? center,
    interval?.high ?? center,
    ...points,
  ]);
  const x = scale(zero === undefined ? values : [...values, zero], 30, WIDTH - 30);
  const height = rows.length * 40 + 24;
  const bottom = height - 22;
  const body = x.ticks.map(
    (tick, place) =>
      `<line class="grid" x1="${n(x(tick))}" x2="${n(x(tick))}" y1="4" y2="${bottom}"/>` +
      `<text class="faint" x="${n(x(tick))}" y="${height - 6}" text-anchor="middle">${texts(x)[place]!}</text>`,
  );
  if (zero !== undefined)
    body.push(
      `<line class="axis" x1="${n(x(zero))}" x2="${n(x(zero))}" y1="4" y2="${bottom}" stroke-width="1.5"/>`,
    );
  for (const [place, { name, center, interval, points, series }] of rows.entries()) {
    const y = place * 40 + 28;
    body.push(`<g class="s${series % 8}"><text x="14" y="${y - 12}">${escape(name)}</text>`);
    for (const point of points) body.push(`<circle class="dot" cx="${n(x(point))}" cy="${y}" r="3"/>`);
    if (interval)
      body.push(
        `<line class="line" x1="${n(x(interval.low))}" x2="${n(x(interval.high))}" y1="${y}" y2="${y}"/>`,
      );
    body.push(`<rect class="mark" x="${n(x(center) - 4)}" y="${y - 4}" width="8" height="8"/></g>`);
  }
  return svg(
    height,
    inWords(
      title,
      rows.map(({ name, center }) => [name, center]),
    ),
    body,
  );
}

/** A line of a curve picture, with what its runs reach at each place. */
export interface Curve {
  readonly name: string;
  readonly series: number;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly low: number;
    readonly high: number;
  }[];
}

/** Points up to which each of a curve is marked. */
const MARKED = 12;
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

/** The grid, the numbers along both axes and the axes' names. */
function axes(
  x: Scale,
  y: Scale,
  { left, bottom }: { readonly left: number; readonly bottom: number },
  names: { readonly x: string; readonly y: string },
): string[] {
  return [
    ...y.ticks.map(
      (tick, place) =>
        `<line class="grid" x1="${left}" x2="${WIDTH - 14}" y1="${n(y(tick))}" y2="${n(y(tick))}"/>` +
        `<text class="faint" x="${left - 6}" y="${n(y(tick) + 4)}" text-anchor="end">${texts(y)[place]!}</text>`,
    ),
    ...x.ticks.map(
      (tick, place) =>
        `<text class="faint" x="${n(x(tick))}" y="${bottom + 16}" text-anchor="middle">${texts(x)[place]!}</text>`,
    ),
    `<text class="faint" x="${left}" y="12">${escape(names.y)}</text>`,
    `<text class="faint" x="${WIDTH - 14}" y="${bottom + 32}" text-anchor="end">${escape(names.x)}</text>`,
  ];
}

/** Curves with their bands (of six at most: more hide each other), and a key. */
export function curveChart(
  curves: readonly Curve[],
  title: string,
  names: { readonly x: string; readonly y: string },
): string {
  const points = curves.flatMap((curve) => curve.points);
  const keyHeight = curves.length * 18;
  const [left, bottom] = [52, 230];
  const x = scale(
    points.map((point) => point.x),
    left,
    WIDTH - 14,
  );
  const y = scale(
    points.flatMap(({ low, high }) => [low, high]),
    bottom,
    22,
  );
  const body = axes(x, y, { left, bottom }, names);
  for (const [place, { name, series, points: own }] of curves.entries()) {
    const path = own.map((point) => `${n(x(point.x))} ${n(y(point.y))}`).join('L');
    const over = own.map((point) => `${n(x(point.x))} ${n(y(point.high))}`);
    const under = own.map((point) => `${n(x(point.x))} ${n(y(point.low))}`).reverse();
    const dash = DASHES[Math.floor(series / 8) % DASHES.length]!;
    const line = `class="line" stroke-dasharray="${dash}"`;
    const ky = bottom + 50 + place * 18;
    body.push(
      `<g class="s${series % 8}">`,
      ...(curves.length <= 6 && own.some(({ low, high }) => high > low)
        ? [`<path class="band" d="M${[...over, ...under].join('L')}Z"/>`]
        : []),
      own.length === 1
        ? `<circle class="mark" cx="${n(x(own[0]!.x))}" cy="${n(y(own[0]!.y))}" r="3"/>`
        : `<path ${line} d="M${path}"/>`,
      ...(own.length > 1 && own.length <= MARKED
        ? own.map((point) => `<circle class="mark" cx="${n(x(point.x))}" cy="${n(y(point.y))}" r="3"/>`)
        : []),
      `<line ${line} x1="${left}" x2="${left + 24}" y1="${ky - 4}" y2="${ky - 4}"/><text x="${left + 32}" y="${ky}">${escape(name)}</text></g>`,
    );
  }
  const ends = curves.flatMap(({ name, points: own }) => {
    const last = own.at(-1);
    return last ? [[name, last.y, last.x] as const] : [];
  });
  return svg(bottom + 44 + keyHeight, inWords(`${title}, at the end`, ends), body);
}

/** A place in a picture of two numbers. */
export interface Spot {
  readonly name: string;
  readonly series: number;
  readonly x: number;
  readonly y: number;
}

/** What something costs beside what it gains. */
export function spotChart(
  spots: readonly Spot[],
  title: string,
  names: { readonly x: string; readonly y: string },
): string {
  const [left, bottom] = [58, 230];
  const x = scale(
    spots.map((spot) => spot.x),
    left,
    WIDTH - 20,
  );
  const y = scale(
    spots.map((spot) => spot.y),
    bottom,
    22,
  );
  const body = axes(x, y, { left, bottom }, names);
  for (const [place, { name, series, x: across, y: up }] of spots.entries()) {
    const ky = bottom + 50 + place * 18;
    body.push(
      `<g class="s${series % 8}"><circle class="mark" cx="${n(x(across))}" cy="${n(y(up))}" r="6"/>` +
        `<text x="${n(x(across))}" y="${n(y(up) - 9)}" text-anchor="middle" font-size="10">${place + 1}</text>` +
        `<circle class="mark" cx="${left + 8}" cy="${ky - 4}" r="5"/><text x="${left + 20}" y="${ky}">${place + 1} ${escape(name)}</text></g>`,
    );
  }
  const places = spots.map((spot) => [spot.name, spot.y, spot.x] as const);
  return svg(bottom + 44 + spots.length * 18, inWords(title, places), body);
}
