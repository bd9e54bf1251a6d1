import { Option, type Command } from 'commander';
import { algorithms, type Algorithm } from '../demo/options.ts';
import { dataSet } from '../data-set-option.ts';
import { whole } from '../whole-option.ts';

export interface SimulateOptions {
  plan?: string;
  algorithm: Algorithm;
  rounds?: number;
  model?: string;
  data?: string;
  holdout?: string;
  fold: number;
  synthetic: boolean;
  rows: number;
  devices?: number;
  dataSet: Record<string, string>;
  fleet?: string;
  seed: number;
  threads?: number;
  ray?: string;
  workers: number;
  rayPython?: string;
  rayNode?: string;
  rayDirectory: string;
  rayInsecure?: boolean;
  forecast: boolean;
  weightsOut?: string;
  json: boolean;
}

/** Declares the options of `starling simulate` (docs/simulate.md). */
export function addSimulateOptions(command: Command): Command {
  return command
    .option('--plan <file>', 'a plan (JSON, docs/plan.md) instead of a ready one for the data')
    .addOption(
      new Option('--algorithm <name>', 'of the ready plan').choices([...algorithms]).default('fedavg'),
    )
    .option('--rounds <n>', 'training rounds, instead of those of the plan', whole(1))
    .option('--model <file>', 'a model IR (JSON) instead of the one that fits the shape of the data')
    .option('--data <dir>', 'a fedpack directory (default: wisdm-watch)')
    .option('--holdout <dir>', 'train on all users of --data, judge on all users of this pack')
    .option('--fold <n>', 'which fold of users is held out', whole(0), 1)
    .option('--synthetic', 'generated rows that fit the model instead of data', false)
    .option('--rows <n>', 'rows of a device with --synthetic', whole(4), 20)
    .option(
      '--data-set <name=dir>',
      'a fedpack that the steps in the cloud of a hybrid plan learn from (repeatable)',
      dataSet,
      {},
    )
    .option('--devices <n>', 'devices that train (default: one a person; 1,000 with --synthetic)', whole(1))
    .option(
      '--fleet <file>',
      'a fleet model (JSON), or "ideal": all devices always there (default: phones at night)',
    )
    .option('--seed <n>', 'decides what the fleet does, and the ready plan', whole(0), 1)
    .option('--threads <n>', 'threads that train (default: one a core)', whole(1))
    .option(
      '--ray <url>',
      'devices work on the Ray cluster with this dashboard; its token is STARLING_RAY_TOKEN',
    )
    .option('--workers <n>', 'with --ray: processes on the cluster that train', whole(1), 2)
    .option('--ray-python <path>', 'the interpreter on the machines of the cluster')
    .option('--ray-node <path>', 'the command of Node there (default: node)')
    .option(
      '--ray-directory <dir>',
      'a directory that the cluster sees under the same path',
      '.starling/simulations',
    )
    .option('--ray-insecure', 'use a Ray cluster without a token')
    .option('--forecast', 'train nothing: what the plan moves and takes', false)
    .option('--weights-out <file>', 'write the last version (safetensors)')
    .option('--json', 'end with one line of JSON on standard output; progress goes to standard error', false);
}
