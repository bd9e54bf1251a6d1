import type { Graph, Value } from './graph.ts';
import { differentiationRules, type Pullback, type RuleTable } from './rules.ts';

/** A primitive on the way from the loss to what it is differentiated by has no rule. Nothing is detached silently. */
export class NotDifferentiable extends Error {
  override readonly name = 'NotDifferentiable';
  readonly code = 'not-differentiable';
  readonly op: string;

  constructor(op: string) {
    super(
      `There is no rule to differentiate the primitive "${op}", but the loss depends on it. Use a first-order algorithm, or another op.`,
    );
    this.op = op;
  }
}

/**
 * Reverse-mode differentiation, graph to graph: extends `graph` by the gradient of `loss` (one value) with respect to
 * each of `wrt`, in primitives again, so that the result can be differentiated in turn. Values in `wrt` are taken as
 * independent of each other. Where the loss does not depend on one, its gradient is a constant 0.
 * @throws NotDifferentiable Naming a primitive without a rule.
 */
export function gradient(
  graph: Graph,
  loss: Value,
  wrt: readonly Value[],
  rules: RuleTable = differentiationRules,
): Value[] {
  if (loss.size !== 1)
    throw new TypeError(`Only one value can be differentiated; the loss has ${loss.size}.`);
  return pullback(graph, loss, graph.constant(loss.shape, 1), wrt, rules);
}

/** The cotangents of `wrt`, given the cotangent of `expression`: its Jacobian, transposed, times `d`. */
function pullback(
  graph: Graph,
  expression: Value,
  d: Value,
  wrt: readonly Value[],
  rules: RuleTable,
): Value[] {
  const pull: Pullback = (inner, cotangent, inputs) => pullback(graph, inner, cotangent, inputs, rules);
  const targets = new Set(wrt);
  const order = ancestors([expression]);
  const dependent = new Set(targets);
  for (const value of order) if (value.inputs.some((input) => dependent.has(input))) dependent.add(value);
  const cotangents = new Map<Value, Value>([[expression, d]]);
  for (const value of order.reverse()) {
    const cotangent = cotangents.get(value);
    if (!cotangent || !dependent.has(value) || targets.has(value)) continue;
    const rule = rules[value.op];
    if (!rule) throw new NotDifferentiable(value.op);
    const parts = rule(graph, value, cotangent, pull);
    value.inputs.forEach((input, i) => {
      const part = parts.at(i);
      if (!part || !dependent.has(input)) return;
      const sofar = cotangents.get(input);
      cotangents.set(input, sofar ? graph.add(sofar, part()) : part());
    });
  }
  return wrt.map((value) => cotangents.get(value) ?? graph.constant(value.shape, 0));
}

/** The values and all that they are computed from, inputs first. */
export function ancestors(values: readonly Value[]): Value[] {
  const found = new Set(values);
  for (const value of found) for (const input of value.inputs) found.add(input);
  return [...found].sort((a, b) => a.id - b.id);
}
