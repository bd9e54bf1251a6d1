import { ModelError } from './errors.ts';
import { Fields } from './fields.ts';
import type { ModelLimits } from './limits.ts';
import type { ClassesIr, MetricIr, MetricNameIr, TargetsIr } from './schema.ts';

const forClasses = ['accuracy', 'f1', 'perplexity'] as const;
const forValues = ['meanAbsoluteError'] as const;
const maxMetrics = 8;

/** What is measured besides the loss: accuracy of classes, mean absolute error of values, where nothing is said. */
export function parseMetrics(
  document: Fields,
  label: ClassesIr | TargetsIr,
  limits: ModelLimits,
): readonly MetricNameIr[] {
  if (!document.has('metrics')) return [label.dtype === 'i32' ? 'accuracy' : 'meanAbsoluteError'];
  const found = new Set<string>();
  return Array.from(document.list('metrics', maxMetrics), (json, i) => {
    const path = `metrics[${i}]`;
    const metric =
      typeof json === 'string' ? parseName(json, label, path) : parseTopK(json, label, path, limits);
    const key = JSON.stringify(metric);
    if (found.has(key))
      throw new ModelError('model-malformed', path, `${key} stands there a second time; remove it.`);
    found.add(key);
    return metric;
  });
}

/** A metric as the rest of the engine takes it. */
export function metricOf(metric: MetricNameIr): MetricIr {
  return typeof metric === 'string' ? Object.freeze({ kind: metric }) : metric;
}

function parseName(name: string, label: ClassesIr | TargetsIr, path: string): MetricNameIr {
  const known = [...forClasses, ...forValues].find((metric) => metric === name);
  if (!known)
    throw new ModelError(
      'model-malformed',
      path,
      `found ${JSON.stringify(name.slice(0, 64))}; expected ${[...forClasses, ...forValues].map((metric) => `"${metric}"`).join(', ')} or {"kind": "topK", "k": …}.`,
    );
  if ((label.dtype === 'i32') === (known === 'meanAbsoluteError')) throw misplaced(known, label, path);
  return known;
}

function parseTopK(
  json: unknown,
  label: ClassesIr | TargetsIr,
  path: string,
  limits: ModelLimits,
): MetricNameIr {
  const fields = new Fields(json, path, limits);
  const kind = fields.oneOf('kind', ['topK']);
  if (label.dtype !== 'i32') throw misplaced(kind, label, path);
  const k = fields.integer('k', 1, label.classes);
  fields.end();
  return { kind, k };
}

function misplaced(metric: string, label: ClassesIr | TargetsIr, path: string): ModelError {
  const [found, wanted] = label.dtype === 'i32' ? ['classes', 'values'] : ['values', 'classes'];
  return new ModelError(
    'model-type-mismatch',
    path,
    `"${metric}" judges ${wanted}, but the labels "${label.id}" are ${found}; choose another metric.`,
  );
}
