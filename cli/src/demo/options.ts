import { InvalidArgumentError, type Command } from 'commander';
import { whole } from '../whole-option.ts';

export const algorithms = ['fedavg', 'reptile', 'fomaml', 'maml', 'meta-sgd'] as const;
export type Algorithm = (typeof algorithms)[number];

export interface DemoOptions {
  data?: string;
  holdout?: string;
  synthetic: boolean;
  model?: string;
  fold: number;
  seed?: number;
  algorithm: Algorithm[];
  devices?: number;
  cohort?: number;
  rounds?: number;
  fineTuneRate?: number;
  secure: boolean;
  kill: number;
  json: boolean;
  keep: boolean;
}

/** Declares the options of `starling demo` (docs/demo.md). */
export function addDemoOptions(command: Command): Command {
  return command
    .option(
      '--data <dir>',
      'a fedpack directory (default: wisdm-watch, found by STARLING_DATA or ../shared/data)',
    )
    .option(
      '--holdout <dir>',
      'train on all users of --data, judge on all users of this pack of the same shape',
    )
    .option('--synthetic', 'use generated wrist motion instead of real data', false)
    .option('--model <file>', 'a model IR (JSON) instead of the one that fits the shape of the data')
    .option('--fold <n>', 'which fold of users is held out', whole(0), 1)
    .option('--seed <n>', 'decides keys, cohorts, batches and initial weights (default: the fold)', whole(0))
    .option(
      '--algorithm <names>',
      `what to train, comma-separated: ${algorithms.join(', ')}`,
      readAlgorithms,
      ['fedavg', 'meta-sgd'] satisfies Algorithm[],
    )
    .option('--devices <n>', 'most training users that take part (default: all)', whole(1))
    .option('--cohort <n>', 'devices a round (default: 10 for rows of features, 8 for windows)', whole(1))
    .option(
      '--rounds <n>',
      'training rounds of FedAvg; meta-learning takes twice as many (default: 60 for rows of features, 30 for windows)',
      whole(1),
    )
    .option('--fine-tune-rate <rate>', 'learning rate of adaptation from the FedAvg model', positive)
    .option('--secure', 'secure aggregation: updates leave the devices masked, the server sees sums', false)
    .option(
      '--kill <share>',
      'kill training devices (SIGKILL) in this share of their assignments, at random moments, and start them again',
      share,
      0,
    )
    .option('--json', 'end with one line of JSON on standard output; progress goes to standard error', false)
    .option('--keep', 'leave the server and the devices running at the end, until interrupted', false);
}

function share(text: string): number {
  const value = Number(text);
  if (!(text.trim() !== '' && value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000))
    throw new InvalidArgumentError('Expected a number above 0, at most 1000.');
  return value;
}

function readAlgorithms(text: string): Algorithm[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!algorithms.includes(name as Algorithm)) {
      throw new InvalidArgumentError(`"${name}" is not one of ${algorithms.join(', ')}.`);
    }
  }
  return [...new Set(names)] as Algorithm[];
}
