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

/** The name of a layer: 0 is what the embeddings give. */
export const layerName = (layer: number): string => (layer === 0 ? 'embeddings' : String(layer));

/** A figure layer by layer as an HTML file. */
export function layersPage({ title, figure, explanation, curves }: LayersReport): string {
  const depth = Math.max(...curves.map(({ layers }) => layers.length));
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
      tableOf(
        `${figure} by layer`,
        ['layer', ...curves.map(({ model }) => model)],
        Array.from({ length: depth }, (_, layer) => [
          layerName(layer),
          ...curves.map(({ layers }) => layers[layer]?.value.toFixed(4) ?? '-'),
        ]),
      ),
    ),
  ]);
}
