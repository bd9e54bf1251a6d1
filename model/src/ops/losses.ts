import type { Graph, Value } from '../graph/graph.ts';
import type { LossIr } from '../ir/schema.ts';

/**
 * The losses of predictions [B, …], one a place.
 * @param labels - Classes [B, …] for softmaxCrossEntropy, targets of the shape of the predictions for the others.
 * @returns softmaxCrossEntropy: one for each label, [B positions], example by example. The others: [B], the mean over the
 * values of each example.
 */
export function lowerLoss(graph: Graph, loss: LossIr, prediction: Value, labels: Value): Value {
  switch (loss.op) {
    case 'softmaxCrossEntropy':
      return graph.crossEntropy(prediction, labels);
    case 'binaryCrossEntropy':
      // -t log p - (1 - t) log(1 - p) with p = sigmoid(z)
      return meanOfExample(
        graph,
        graph.subtract(graph.softplus(prediction), graph.multiply(prediction, labels)),
      );
    case 'meanSquaredError': {
      const residual = graph.subtract(prediction, labels);
      return meanOfExample(graph, graph.multiply(residual, residual));
    }
    case 'huber': {
      const residual = graph.subtract(prediction, labels);
      return meanOfExample(graph, huber(graph, residual, loss.delta));
    }
  }
}

/** c (r - c / 2) with c = r within -delta … delta. Beyond, c is exactly the bound, so large residuals lose no digits. */
function huber(graph: Graph, residual: Value, delta: number): Value {
  const relu = (x: Value) => graph.maskPositive(x, x);
  const below = graph.shift(graph.scale(relu(graph.shift(graph.scale(residual, -1), delta)), -1), delta);
  const clamped = graph.shift(relu(graph.shift(below, delta)), -delta);
  return graph.multiply(clamped, graph.subtract(residual, graph.scale(clamped, 0.5)));
}

function meanOfExample(graph: Graph, values: Value): Value {
  const [batch] = values.shape;
  const size = values.size / batch;
  const rows = graph.view(values, [batch, size]);
  return graph.scale(graph.rowSum(rows), 1 / size);
}
