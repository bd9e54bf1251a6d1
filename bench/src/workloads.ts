import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseModel, type Model } from '@starling/model';

/** One training step of one model of the zoo. */
export interface Workload {
  readonly id: string;
  readonly title: string;
  /** Name of the document in model/zoo. */
  readonly zoo: string;
  readonly rows: { readonly train: number } | { readonly support: number; readonly query: number };
}

/** Rows of one step. */
const batch = 10;

/**
 * One step is forward, backward and SGD on one batch, the loss read back. W6 is one episode of MAML: one inner step on
 * the support, the gradient of the query's loss through it (second order), and SGD.
 */
export const workloads: readonly Workload[] = [
  { id: 'W1', title: 'MLP 561-100-6', zoo: 'har-mlp', rows: { train: batch } },
  { id: 'W2', title: '1-D CNN on 128 x 9', zoo: 'sensor-cnn', rows: { train: batch } },
  { id: 'W3', title: 'FEMNIST CNN, dense 2048', zoo: 'femnist-cnn', rows: { train: batch } },
  { id: 'W4', title: 'LSTM 2 x 256, 80 steps', zoo: 'char-lstm', rows: { train: batch } },
  { id: 'W5', title: 'GPT d 64, 2 layers', zoo: 'tiny-gpt', rows: { train: batch } },
  { id: 'W6', title: 'MAML, 5 ways, 1 shot', zoo: 'conv4', rows: { support: 5, query: 25 } },
];

export function documentPath(zoo: string): string {
  return fileURLToPath(new URL(`../../model/zoo/${zoo}.json`, import.meta.url));
}

export function zooModel(zoo: string): Model {
  return parseModel(JSON.parse(readFileSync(documentPath(zoo), 'utf8')));
}
