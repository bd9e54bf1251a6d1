import { describe, expect, it } from 'vitest';
import { Graph, type Value } from '../graph/graph.ts';
import { parseModel } from '../ir/parse.ts';
import { stream } from '../random/streams.ts';
import { cnn, mlp } from '../testing/models.ts';
import { evaluate } from '../testing/reference.ts';
import type { RowLeaves } from './rows.ts';
import { buildMetaGraph, type MetaGraph, type MetaShape } from './meta-graph.ts';

const models = {
  mlp: parseModel(mlp(4, 3, 3)),
  cnn: parseModel(cnn(7, 2, 3)),
  head: parseModel({ ...mlp(4, 3, 3), meta: { adapt: ['head'] } }),
};

const shape: MetaShape = {
  supportCapacity: 4,
  queryCapacity: 3,
  innerSteps: 2,
  learnedRates: false,
  order: 2,
};

/** Random values for every leaf, labels and weights being what they must be. */
function leavesOf({ parameters, support, query, rate }: MetaGraph): Map<Value, Float64Array> {
  const random = stream(5, 'leaves');
  const draw = ({ size }: Value, least: number, most: number) =>
    Float64Array.from({ length: size }, () => least + (most - least) * random.nextFloat());
  const leaves = new Map<Value, Float64Array>([[rate, Float64Array.of(0.4)]]);
  for (const [name, leaf] of parameters.byName)
    leaves.set(leaf, name.startsWith('rate/') ? draw(leaf, 0.1, 0.6) : draw(leaf, -1, 1));
  for (const rows of [support, query]) {
    leaves.set(rows.x, draw(rows.x, -1, 1));
    leaves.set(rows.labels, draw(rows.labels, 0, 3).map(Math.floor));
    leaves.set(rows.weights, new Float64Array(rows.weights.size).fill(1 / rows.weights.size));
  }
  return leaves;
}

function expectMetaGradient(meta: MetaGraph, wrt: readonly Value[]): void {
  const leaves = leavesOf(meta);
  const found = evaluate(meta.gradients, leaves);
  const step = 1e-5;
  wrt.forEach((leaf, which) => {
    const at = leaves.get(leaf)!;
    at.forEach((_, i) => {
      const shifted = (by: number) => {
        const moved = at.slice();
        moved[i] += by;
        return evaluate([meta.after.loss], new Map([...leaves, [leaf, moved]]))[0][0];
      };
      const wanted = (shifted(step) - shifted(-step)) / (2 * step);
      expect(Math.abs(found[which][i] - wanted)).toBeLessThan(1e-8);
    });
  });
}

describe('buildMetaGraph', () => {
  it.each(Object.entries(models))('gives the gradient of MAML through its inner steps: %s', (_, model) => {
    const meta = buildMetaGraph(new Graph(), model, shape);
    expectMetaGradient(meta, meta.parameters.ofRole('weight'));
  });

  it.each(Object.entries(models))('gives the gradient of Meta-SGD for weights and rates: %s', (_, model) => {
    const meta = buildMetaGraph(new Graph(), model, { ...shape, learnedRates: true });
    expectMetaGradient(meta, [...meta.parameters.ofRole('weight'), ...meta.parameters.ofRole('rate')]);
  });

  it('gives FOMAML the gradient at the adapted weights, as if they had come from nowhere', () => {
    const rows = { ...shape, supportCapacity: 3 };
    const first = buildMetaGraph(new Graph(), models.mlp, { ...rows, order: 1 });
    const leaves = leavesOf(first);
    const found = evaluate(first.gradients, leaves);
    // By hand: without inner steps the graph gives the plain gradient on any rows.
    const plain = buildMetaGraph(new Graph(), models.mlp, { ...rows, order: 1, innerSteps: 0 });
    const weights = plain.parameters.ofRole('weight');
    const values = new Map<Value, Float64Array>();
    for (const [name, leaf] of plain.parameters.byName)
      values.set(leaf, leaves.get(first.parameters.byName.get(name)!)!);
    const gradientOn = (from: RowLeaves) =>
      evaluate(
        plain.gradients,
        new Map([
          ...values,
          [plain.query.x, leaves.get(from.x)!],
          [plain.query.labels, leaves.get(from.labels)!],
          [plain.query.weights, leaves.get(from.weights)!],
        ]),
      );
    for (let step = 0; step < rows.innerSteps; step++) {
      const slopes = gradientOn(first.support);
      weights.forEach((leaf, i) =>
        values.set(
          leaf,
          values.get(leaf)!.map((w, j) => w - 0.4 * slopes[i][j]),
        ),
      );
    }
    gradientOn(first.query).forEach((wanted, i) => {
      wanted.forEach((slope, j) => {
        expect(found[i][j]).toBeCloseTo(slope, 12);
      });
    });
  });

  it('gives rates of weights that do not adapt the gradient 0', () => {
    const meta = buildMetaGraph(new Graph(), models.head, { ...shape, learnedRates: true });
    const [body] = evaluate(meta.gradients.slice(meta.gradients.length / 2), leavesOf(meta));
    expect([...body]).toEqual(new Array(body.length).fill(0));
  });
});
