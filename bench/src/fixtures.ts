import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { initialise, stream, type Model } from '@starling/model';
import { documentPath, zooModel, type Workload } from './workloads.ts';

/** What every contender is handed: the same document, the same parameters, the same rows, as files. */
export interface Fixture {
  readonly workload: string;
  /** Path of the document. */
  readonly document: string;
  /** Little-endian float32, all parameters in the order and the layout of the IR. */
  readonly params: string;
  readonly rate: number;
  /** `train`, or `support` and `query`. Features: float32, or int32 where they are ids; labels: int32. */
  readonly parts: Readonly<Record<string, { readonly rows: number; readonly x: string; readonly y: string }>>;
  readonly innerRate?: number;
}

const seed = 7;

/** Writes the files of a workload into a directory. */
export function writeFixture(workload: Workload, directory: string): Fixture {
  mkdirSync(directory, { recursive: true });
  const model = zooModel(workload.zoo);
  const file = (name: string, values: Float32Array | Int32Array): string => {
    const path = join(directory, `${workload.id}.${name}`);
    writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return path;
  };
  const params = file('params', initialise(model, seed).values);
  const parts = Object.fromEntries(
    Object.entries(workload.rows).map(([part, rows]: [string, number]) => {
      const { x, y } = drawRows(model, part, rows);
      return [part, { rows, x: file(`${part}.x`, x), y: file(`${part}.y`, y) }];
    }),
  );
  const { optimiser, meta } = model.ir;
  if (!optimiser) throw new Error(`${workload.zoo} recommends no optimiser, so the step has no rate.`);
  return {
    workload: workload.id,
    document: documentPath(workload.zoo),
    params,
    rate: optimiser.rate,
    parts,
    ...(typeof meta?.innerRate === 'number' && { innerRate: meta.innerRate }),
  };
}

/** Ids at random; or labels in turn, and features of noise about a pattern of each class, which can be learned. */
function drawRows(model: Model, part: string, rows: number): { x: Float32Array | Int32Array; y: Int32Array } {
  const { inputSize, labelSize, classes, vocabulary } = model;
  const noise = stream(seed, `${part}/x`);
  const labels = stream(seed, `${part}/y`);
  const y = Int32Array.from({ length: rows * labelSize }, (_, i) =>
    vocabulary === undefined ? i % classes : labels.below(classes),
  );
  if (vocabulary !== undefined)
    return { x: Int32Array.from({ length: rows * inputSize }, () => noise.below(vocabulary)), y };
  const drawn = stream(seed, 'patterns');
  const patterns = Float32Array.from({ length: classes * inputSize }, () =>
    drawn.nextFloat() < 0.2 ? 0.7 : 0,
  );
  const x = Float32Array.from({ length: rows * inputSize }, (_, i) => {
    const row = Math.floor(i / inputSize);
    return patterns[y[row]! * inputSize + (i % inputSize)]! + 0.3 * noise.nextFloat();
  });
  return { x, y };
}
