import { ModelError } from './errors.ts';
import { Fields } from './fields.ts';
import { defaultLimits, type ModelLimits } from './limits.ts';
import type { Model, ModelNode } from './model.ts';
import { parseInputs } from './parse-inputs.ts';
import { parseMeta } from './parse-meta.ts';
import { parseNode } from './parse-nodes.ts';
import { modelParameter, parseParameter } from './parse-parameters.ts';
import type { LossIr, ModelIr, NodeIr, ParameterIr, Shape } from './schema.ts';
import { formatShape } from './shapes.ts';
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
  document.objects('nodes', bounds.maxNodes).forEach((fields) => {
    const { ir, operation } = parseNode(fields, values);
    nodes.push(ir);
    modelNodes.push(Object.freeze({ id: ir.out, inputs: ir.in, operation }));
  });
  const loss = parseLoss(document.object('loss'), values, inputs.label);
  const metrics = parseMetrics(document);
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
    ...(meta && { meta }),
  };
  return Object.freeze({
    name,
    ir: deepFreeze(ir),
    inputShape: Object.freeze(inputs.features.shape.slice(1) as number[]), // the batch stands only in front
    inputSize: values.size(inputs.features.id),
    classes: inputs.label.classes,
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
  let total = 0;
  return document.objects('params', bounds.maxParameterTensors).map((fields) => {
    const parameter = parseParameter(fields);
    values.define(parameter.id, parameter.shape, fields.at('id'), fields.at('shape'));
    total += values.size(parameter.id);
    if (total > bounds.maxParameters)
      throw new ModelError(
        'model-limit-exceeded',
        fields.at('shape'),
        `with shape ${formatShape(parameter.shape)} the model has ${total} parameters; at most ${bounds.maxParameters} are allowed here.`,
      );
    return parameter;
  });
}

function parseLoss(fields: Fields, values: ValueTable, label: { id: string; classes: number }): LossIr {
  const op = fields.oneOf('op', ['softmaxCrossEntropy']);
  const ids = fields.ids('in', 2);
  fields.end();
  const [logits, labels] = ids;
  if (ids.length !== 2)
    throw new ModelError(
      'model-wrong-arity',
      fields.at('in'),
      `softmaxCrossEntropy has ${ids.length} inputs; expected 2, logits and labels.`,
    );
  const shape = values.use(logits, `${fields.at('in')}[0]`);
  if (labels !== label.id)
    throw new ModelError(
      'model-undefined-value',
      `${fields.at('in')}[1]`,
      `found "${labels}"; expected the label input "${label.id}".`,
    );
  checkLogits(shape, label.classes, `${fields.at('in')}[0]`);
  return { op, in: [logits, labels] };
}

function checkLogits(shape: Shape, classes: number, path: string): void {
  if (shape.length !== 2 || shape[0] !== 'B')
    throw new ModelError(
      'model-shape-mismatch',
      path,
      `logits have shape ${formatShape(shape)}; expected [B, ${classes}], one logit a class.`,
    );
  if (shape[1] !== classes)
    throw new ModelError(
      'model-classes-mismatch',
      path,
      `logits have shape ${formatShape(shape)}, but the labels have ${classes} classes; make both equal.`,
    );
}

function parseMetrics(document: Fields): ModelIr['metrics'] {
  if (!document.has('metrics')) return ['accuracy'];
  const metrics = document.list('metrics', 1);
  metrics.forEach((metric, i) => {
    if (metric !== 'accuracy')
      throw new ModelError(
        'model-malformed',
        `metrics[${i}]`,
        'found an unknown metric; expected "accuracy".',
      );
  });
  return metrics.length === 0 ? [] : ['accuracy'];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
