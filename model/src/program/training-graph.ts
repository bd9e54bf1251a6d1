import { gradient } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { Model } from '../ir/model.ts';
import type { OptimiserIr } from '../ir/schema.ts';
import { layoutOf } from '../parameters/layout.ts';
import { classify, rowLeaves } from './classifier.ts';
import { Masks } from './masks.ts';
import { optimiserGraph, type OptimiserGraph } from './optimiser.ts';
import { ParameterLeaves } from './parameter-leaves.ts';
import type { RowLeaves } from './rows.ts';

/** A training step as one graph: forward, backward and the optimiser's update. */
export interface TrainingGraph {
  readonly parameters: ParameterLeaves;
  readonly rows: RowLeaves;
  readonly masks: Masks;
  readonly losses: Value;
  /** The sum of squares of each gradient: finite where all of it is. */
  readonly squares: readonly Value[];
  readonly optimiser: OptimiserGraph;
}

export function buildTrainingGraph(model: Model, capacity: number, optimiser: OptimiserIr): TrainingGraph {
  const graph = new Graph();
  const parameters = new ParameterLeaves(graph, layoutOf(model));
  const rows = rowLeaves(graph, model, 'batch', capacity);
  const masks = new Masks(graph);
  const { losses, loss } = classify(graph, model, parameters.byName, rows, masks.context);
  const weights = parameters.ofRole('weight');
  const gradients = gradient(graph, loss, weights);
  const slopes = weights.map((weight, i) => ({ weight, gradient: gradients[i] }));
  return {
    parameters,
    rows,
    masks,
    losses,
    squares: gradients.map((slope) => graph.dot(slope, slope)),
    optimiser: optimiserGraph(graph, optimiser, slopes),
  };
}
