import { ModelError } from './errors.ts';
import { Fields } from './fields.ts';
import { defaultLimits, type ModelLimits } from './limits.ts';
import type { Model, ModelNode } from './model.ts';
import { parseInputs } from './parse-inputs.ts';
import { parseLoss } from './parse-loss.ts';
import { parseMeta } from './parse-meta.ts';
import { metricOf, parseMetrics } from './parse-metrics.ts';
import { parseNode } from './parse-nodes.ts';
import { parseOptimiser } from './parse-optimiser.ts';
import { modelParameter, parseParameter } from './parse-parameters.ts';
import type { ModelIr, NodeIr, ParameterIr, Shape } from './schema.ts';
import { checkStatistics } from './statistics.ts';
import { ValueTable } from './values.ts';

/**
 * Checks a model in the Unified Model IR (umir 1, opset 1) and infers the shape of every value.
 * @param json - The parsed JSON document; nothing is taken from it that is not checked.
 * @param limits - Replaces single limits of {@link defaultLimits}.
 * @throws ModelError For anything that cannot be run: its `code` says why, its `path` where. Never another error.
 */
export function parseModel(json: unknown, limits: Partial<ModelLimits> = {}): Model {
  const bounds = { ...defaultLimits, ...limits };
  const document = new Fields(json, '', bounds);
  checkVersion(document);
  const values = new ValueTable(bounds);
  const name = document.id('name');
  const inputs = parseInputs(document.objects('inputs', 2), values);
  const params = parseParameters(document, values, bounds);
  const nodes: NodeIr[] = [];
  const modelNodes: ModelNode[] = [];
  let mixesRows = false;
  document.objects('nodes', bounds.maxNodes).forEach((fields) => {
    const { ir, operation, mixes } = parseNode(fields, values);
    mixesRows ||= mixes;
    nodes.push(ir);
    modelNodes.push(Object.freeze({ id: ir.out, inputs: ir.in, operation }));
  });
  const loss = parseLoss(document.object('loss'), values, inputs.label);
  const metrics = parseMetrics(document, inputs.label, bounds);
  const optimiser = document.has('optimiser') ? parseOptimiser(document.object('optimiser')) : undefined;
  const meta = document.has('meta') ? parseMeta(document.object('meta')) : undefined;
  document.end();
  values.expectAllUsed();
  checkStatistics(params, nodes, inputs.features.id);
  const adapt = meta?.adapt ?? ['body', 'head'];
  const ir: ModelIr = {
    umir: 1,
    opset: 1,
    name,
    inputs: [inputs.features, inputs.label],
    params,
    nodes,
    loss,
    metrics,
    ...(optimiser && { optimiser }),
    ...(meta && { meta }),
  };
  const { features, label } = inputs;
  return Object.freeze({
    name,
    ir: deepFreeze(ir),
    inputShape: axesOfExample(features.shape),
    inputSize: values.size(features.id),
    inputKind: features.dtype === 'i32' ? 'tokens' : 'values',
    vocabulary: features.dtype === 'i32' ? features.vocabulary : undefined,
    labelKind: label.dtype === 'i32' ? 'class' : 'value',
    labelShape: axesOfExample(label.shape),
    labelSize: values.size(label.id),
    classes: label.dtype === 'i32' ? label.classes : 0,
    loss,
    metrics: Object.freeze(metrics.map(metricOf)),
    optimiser,
    mixesRows,
    hasDropout: modelNodes.some(({ operation }) => operation.random === true),
    nodeShapes: values.shapes(),
    parameters: Object.freeze(params.map((parameter) => modelParameter(parameter, adapt))),
    nodes: Object.freeze(modelNodes),
  });
}

function checkVersion(document: Fields): void {
  for (const key of ['umir', 'opset']) {
    const found = document.take(key);
    if (found === 1) continue;
    throw new ModelError(
      'model-version-unsupported',
      key,
      `this engine reads version 1 of the IR with opset 1; write "${key}": 1, or use an engine that knows the version of this document.`,
    );
  }
}

function parseParameters(document: Fields, values: ValueTable, bounds: ModelLimits): ParameterIr[] {
  return document.objects('params', bounds.maxParameterTensors).map((fields) => {
    const parameter = parseParameter(fields);
    values.defineParameter(parameter.id, parameter.shape, fields.at('id'), fields.at('shape'));
    return parameter;
  });
}

function axesOfExample(shape: Shape): readonly number[] {
  return Object.freeze(shape.slice(1) as number[]); // the batch stands only in front
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
