import type { Examples, openModel, PersonalModel, SharedModel, Trainer } from '@starling/client-sdk';
import type { browserHost } from '@starling/client-sdk/browser';
import { toHex, utf8Encode, type ModelDetail, type ModelVersion, type Task } from '@starling/protocol';
import { readBlob } from '../../../api/blobs.ts';

/** What is used of /sdk/starling.js. */
interface Sdk {
  readonly openModel: typeof openModel;
  readonly browserHost: typeof browserHost;
}

/**
 * The SDK as devices load it from this server: what is tried here is what runs there. It is no part of the console's own
 * files, so that trying a model costs a page nothing before.
 */
async function loadSdk(): Promise<Sdk> {
  const address = '/sdk/starling.js';
  return (await import(/* @vite-ignore */ address)) as Sdk; // built from the room whose types these are
}

/** A version of a model in this browser. */
export interface Trial {
  readonly model: SharedModel;
  /** Adapts it in the SDK's training worker. */
  adapt: (examples: Examples, adaptation: Task['plan']['adaptation']) => Promise<PersonalModel>;
  close: () => void;
}

/** Fetches a version and opens it. Throws ProblemError, and what the SDK throws for a model that it cannot run. */
export async function openTrial(
  version: ModelVersion,
  task: Task,
  { ir, digest }: ModelDetail,
): Promise<Trial> {
  const [sdk, weights] = await Promise.all([loadSdk(), readBlob(version.weights)]);
  const model = sdk.openModel({
    ir: { digest, json: utf8Encode(JSON.stringify(ir)) },
    weights,
    learnedRates: task.plan.learning.algorithm === 'meta-sgd',
  });
  let trainer: Trainer | undefined;
  return {
    model,
    adapt: (examples, adaptation) => {
      trainer ??= sdk.browserHost().trainer;
      return model.personalise(trainer, { adaptation, version: version.id }, examples);
    },
    close: () => void trainer?.close(),
  };
}

/** Rows behind one another, as the engine takes them: ids of tokens as integers. */
export function asInput(rows: readonly Float32Array[], tokens: boolean): Float32Array | Int32Array {
  const size = rows[0]?.length ?? 0;
  const all = tokens ? new Int32Array(rows.length * size) : new Float32Array(rows.length * size);
  rows.forEach((row, index) => {
    all.set(row, index * size);
  });
  return all;
}

/** A name of this page for a row, to tell rows apart. */
export function newRowName(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(6)));
}
