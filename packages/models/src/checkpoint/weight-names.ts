import type { LayersModel, LayerVariable } from '@tensorflow/tfjs-layers';
import type { HypetuneMark, WeightKind, WeightedLayer } from '../layers/weighted-layer.js';

/** What a layer of this package is known by. */
type Weighted = Pick<WeightedLayer<string>, 'weightSpecs' | 'hypetune' | 'draw'>;

/** A weight of a model under the name it has in a checkpoint. */
export interface NamedWeight {
  readonly name: string;
  /** Name of the layer that has it, and the layer's mark. */
  readonly layer: string;
  readonly mark: HypetuneMark;
  readonly kind: WeightKind;
  /** Whether one row of the stored tensor belongs to each label. */
  readonly perLabel: boolean;
  /** Shape in the checkpoint, where a linear kernel is [out, ...in]. */
  readonly storedShape: readonly number[];
  readonly variable: LayerVariable;
  /** Gives it the values that it starts from. */
  draw(): void;
}

/** The weights of a model built by this package; a variable `layer/weight` is called `layer.weight` in a checkpoint. */
export function namedWeights(model: LayersModel): NamedWeight[] {
  return model.layers.flatMap((layer) => {
    const weighted = layer as LayersModel['layers'][number] & Partial<Weighted>;
    const { weightSpecs, hypetune } = weighted;
    if (!weightSpecs || !hypetune) return [];
    return layer.weights.map((variable) => {
      const own = variable.originalName.slice(variable.originalName.indexOf('/') + 1);
      const { kind, shape, stored, perLabel = false } = weightSpecs[own]!;
      const storedShape = stored ?? (kind === 'linear' ? [...shape].reverse() : shape);
      return {
        ...{ name: `${layer.name}.${own}`, layer: layer.name, mark: hypetune },
        ...{ kind, perLabel, storedShape, variable },
        draw: () => {
          weighted.draw!(own);
        },
      };
    });
  });
}

/** The transpose of a row-major [rows, columns] matrix. */
export function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = matrix[row * columns + column]!;
    }
  }
  return result;
}
