import { curveChart } from './charts.js';
import { page, paragraph, picture, section, tableOf } from './page.js';

/** A figure of each layer of a model. */
export interface LayerCurve {
  readonly model: string;
  /** From the embeddings up; where single rows are known, what most of them reach. */
  readonly layers: readonly { readonly value: number; readonly low?: number; readonly high?: number }[];
}

export interface LayersReport {
  readonly title: string;
  /** What is shown, in a few words. */
  readonly figure: string;
  /** How it was computed. */
  readonly explanation: string;
  readonly curves: readonly LayerCurve[];
}

/** A line a layer, a column a model; models may differ in depth. */
export function layerRows(curves: readonly LayerCurve[]): string[][] {
  const depth = Math.max(...curves.map(({ layers }) => layers.length));
  return Array.from({ length: depth }, (_, layer) => [
    layer === 0 ? 'embeddings' : String(layer),
    ...curves.map(({ layers }) => layers[layer]?.value.toFixed(4) ?? '-'),
  ]);
}

/** A figure layer by layer as an HTML file. */
export function layersPage({ title, figure, explanation, curves }: LayersReport): string {
  return page(title, paragraph(explanation, true), [
    section(
      `${figure} by layer`,
      picture(
        curveChart(
          curves.map(({ model, layers }, series) => ({
            ...{ name: model, series },
            points: layers.map(({ value, low = value, high = value }, x) => ({ x, y: value, low, high })),
          })),
          `${figure} by layer`,
          { x: 'layer (0: embeddings)', y: figure },
        ),
        explanation,
      ),
      tableOf(`${figure} by layer`, ['layer', ...curves.map(({ model }) => model)], layerRows(curves)),
    ),
  ]);
}
