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

/** c (r - c / 2) with c the residual cut to -delta … delta: by selection, so that no delta and no residual costs a digit. */
function huber(graph: Graph, residual: Value, delta: number): Value {
  const bound = graph.constant(residual.shape, delta);
  const [toUpper, toLower] = [
    graph.shift(graph.scale(residual, -1), delta), // above 0 where r < delta
    graph.shift(residual, delta), //                  above 0 where r > -delta
  ];
  const inside = graph.maskPositive(graph.maskPositive(residual, toUpper), toLower);
  const outside = graph.subtract(graph.maskPositive(bound, toLower), graph.maskPositive(bound, toUpper));
  const cut = graph.add(inside, outside);
  return graph.multiply(cut, graph.subtract(residual, graph.scale(cut, 0.5)));
}

function meanOfExample(graph: Graph, values: Value): Value {
  const [batch] = values.shape;
  const size = values.size / batch;
  const rows = graph.view(values, [batch, size]);
  return graph.scale(graph.rowSum(rows), 1 / size);
}
