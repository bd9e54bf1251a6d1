import type { EvaluationMetrics, EvaluationResult } from '@starling/protocol';
import type { KillReport } from './kills.ts';
import type { Settings } from './plans.ts';

/** Accuracy over held-out users, as shares of 1. */
export interface Spread {
  mean: number;
  /** Mean of the worst tenth of users (at least one), to one point. */
  worstDecile: number;
}

export interface MethodReport {
  before: Spread;
  /** After 20 steps on half of the user's data (`local`: at the end of its training). */
  after: Spread;
  /** After so many steps on half of the user's data. */
  steps: Record<string, Spread>;
  /** The same for each share of support. */
  supports: Record<string, { after: Spread; steps: Record<string, Spread> }>;
}

/** The JSON line of the demo. */
export interface DemoReport {
  dataset: string;
  holdout: string | null;
  synthetic: boolean;
  /** Whether updates were masked. */
  secure: boolean;
  /** With `--kill`. */
  kills?: KillReport;
  users: number;
  heldOut: number;
  rounds: Record<string, number>;
  seed: number;
  fold: number | null;
  methods: Record<string, MethodReport>;
  bytesUp: number;
  bytesDown: number;
  seconds: number;
}

/** Steps after which a federated method counts as adapted, in the report's `after`. */
const finalSteps = 20;

export function methodReport(metrics: EvaluationMetrics, final: number = finalSteps): MethodReport {
  const shares = [...new Set(metrics.results.map((result) => result.supportShare))];
  const supports: MethodReport['supports'] = {};
  for (const share of shares) {
    const results = metrics.results.filter((result) => result.supportShare === share && result.steps > 0);
    const steps = Object.fromEntries(results.map((result) => [String(result.steps), spread(result)]));
    supports[String(share)] = { after: pick(steps, String(final)), steps };
  }
  const before = metrics.results.find((result) => result.steps === 0);
  const half = supports['0.5'];
  if (!before || !half) throw new TypeError('The evaluation lacks what it was asked for.');
  return { before: spread(before), after: half.after, steps: half.steps, supports };
}

export function localReport(metrics: EvaluationMetrics, settings: Settings): MethodReport {
  return methodReport(metrics, settings.alone.steps);
}

function spread(result: EvaluationResult): Spread {
  return { mean: result.accuracy, worstDecile: result.worstDecile };
}

function pick(steps: Record<string, Spread>, key: string): Spread {
  const found = steps[key];
  if (!found) throw new TypeError(`The evaluation has no result after ${key} steps.`);
  return found;
}

const titles: Record<string, string> = {
  local: 'own data alone',
  fedavg: 'FedAvg + fine-tuning',
  reptile: 'Reptile',
  fomaml: 'FOMAML',
  maml: 'MAML',
  'meta-sgd': 'Meta-SGD',
};

/** The comparison as a table: rows are methods, columns are steps of adaptation. */
export function comparisonTable(report: DemoReport): string {
  const columns = ['before', '1 step', '5 steps', '20 steps'];
  const lines: string[] = [];
  for (const share of ['0.2', '0.5']) {
    lines.push(
      '',
      `Accuracy on the query half of ${report.heldOut} held-out users, %: mean (worst tenth of users)`,
      `adapted on ${Math.round(Number(share) * 100)} % of each user's data`,
      row('', columns),
    );
    for (const [name, method] of Object.entries(report.methods)) {
      const support = method.supports[share];
      if (!support) continue;
      const { steps } = support;
      if (name === 'fedavg') lines.push(row('FedAvg, global model', [cell(method.before), '', '', '']));
      const cells =
        name === 'local'
          ? ['-', '', '', cell(support.after)]
          : [cell(method.before), cell(steps['1']), cell(steps['5']), cell(steps['20'])];
      lines.push(row(titles[name] ?? name, cells));
    }
  }
  lines.push(
    '',
    '"own data alone" is trained to its end (200 or 100 steps of Adam), shown in the last column.',
  );
  return lines.join('\n');
}

function row(title: string, cells: readonly string[]): string {
  return `  ${title.padEnd(24)}${cells.map((text) => text.padStart(15)).join('')}`;
}

function cell(value: Spread | undefined): string {
  return value ? `${percent(value.mean)} (${percent(value.worstDecile)})` : '';
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
