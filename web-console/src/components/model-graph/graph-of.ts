import { parseModel } from '@starling/model/ir';
import { layered, type Layout } from './layout.ts';

/** Weights of a node, as the IR defines them. */
export interface NodeWeights {
  readonly id: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly init: string;
  readonly group: 'body' | 'head';
  readonly share: 'global' | 'local';
}

/** One box of the drawing: an input, an operation or the loss. */
export interface DrawnNode {
  readonly id: string;
  readonly kind: 'input' | 'operation' | 'loss';
  readonly name: string;
  /** Shape of its value, `B` for the batch; none for the loss, which is one number. */
  readonly shape: string;
  readonly inputs: readonly { readonly id: string; readonly shape: string }[];
  readonly attributes: readonly (readonly [string, string])[];
  readonly weights: readonly NodeWeights[];
}

export interface DrawnModel {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly (readonly [string, string])[];
  readonly layout: Layout;
  readonly parameters: readonly NodeWeights[];
  readonly learnable: number;
}

const lossId = ' loss'; // no id of the IR begins with a space

/** How many an input knows of: ids of tokens, or classes. */
function sizeOf(input: object): object {
  if ('vocabulary' in input) return { vocabulary: input.vocabulary };
  return 'classes' in input ? { classes: input.classes } : {};
}

/** A model as a graph with the shape of every value. Throws ModelError for what is no model. */
export function drawnModel(json: unknown): DrawnModel {
  const model = parseModel(json);
  const { ir } = model;
  const shapeOf = (id: string) => (model.nodeShapes.get(id) ?? []).join(' × ');
  const parameters = model.parameters.map(({ id, shape, size, init, group, share }): NodeWeights => ({
    id,
    shape,
    size,
    init: init.kind,
    group,
    share,
  }));
  const weights = new Map(parameters.map((each) => [each.id, each]));
  const drawn = (id: string, op: string, used: readonly string[], rest: object, kind: DrawnNode['kind']) => ({
    id,
    kind,
    name: op,
    shape: kind === 'loss' ? '' : shapeOf(id),
    inputs: used.filter((each) => !weights.has(each)).map((each) => ({ id: each, shape: shapeOf(each) })),
    attributes: Object.entries(rest).map(([name, value]) => [name, String(value)] as const),
    weights: used.flatMap((each) => weights.get(each) ?? []),
  });
  const { op, in: judged, ...lossSettings } = ir.loss;
  const nodes: DrawnNode[] = [
    ...ir.inputs.map(({ id, role, dtype, ...rest }) =>
      drawn(id, id, [], { role, dtype, ...sizeOf(rest) }, 'input'),
    ),
    ...ir.nodes.map((node) => drawn(node.out, node.op, node.in, node.attrs, 'operation')),
    drawn(lossId, op, judged, lossSettings, 'loss'),
  ];
  const edges = nodes.flatMap(({ id, inputs }) => inputs.map((input) => [input.id, id] as const));
  return {
    nodes,
    edges,
    layout: layered({ nodes: nodes.map(({ id }) => id), edges }),
    parameters,
    learnable: model.parameters.reduce(
      (sum, { size, statistic }) => sum + (statistic === undefined ? size : 0),
      0,
    ),
  };
}
