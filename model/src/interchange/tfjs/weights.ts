import { Config, isCount } from './config.ts';
import { TfjsImportError } from './errors.ts';

/** One tensor of the file, as tfjs lays it out: C order, little-endian float32. */
export interface TfjsTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The tensors that a manifest names, each to be taken by one layer. */
export class TfjsWeights {
  readonly #tensors = new Map<string, TfjsTensor>();

  /**
   * @param manifest - `weightsManifest` of model.json, or what tfjs keeps in memory: a list of names, shapes and types.
   * @param shards - The files that the manifest names, in its order.
   */
  constructor(manifest: readonly unknown[], shards: readonly ArrayBuffer[]) {
    const bytes = join(shards);
    let offset = 0;
    for (const entry of manifest.flatMap(entriesOf)) {
      const { name, shape } = readEntry(entry);
      if (this.#tensors.has(name))
        throw new TfjsImportError(`The weight "${name}" comes twice in the manifest.`);
      const size = shape.reduce((product, axis) => product * axis, 1);
      if (offset + size * 4 > bytes.length)
        throw new TfjsImportError(
          `The weights are ${bytes.length} bytes, but "${name}" would end at byte ${offset + size * 4}; give all files of the manifest, in its order.`,
        );
      const view = new DataView(bytes.buffer, offset, size * 4);
      const values = Float32Array.from({ length: size }, (_, i) => view.getFloat32(i * 4, true));
      this.#tensors.set(name, { shape, values });
      offset += size * 4;
    }
    if (offset !== bytes.length)
      throw new TfjsImportError(
        `The weights are ${bytes.length} bytes, but the manifest names ${offset}; give the files of this manifest alone.`,
      );
  }

  /** Takes a weight of a layer: `layer/weight`, or with a cell between them as Keras names weights of recurrences. */
  take(layer: string, weight: string, shape: readonly number[]): Float32Array {
    const fits = (name: string) => name.startsWith(`${layer}/`) && name.endsWith(`/${weight}`);
    const names = [...this.#tensors.keys()];
    const exact = names.filter((name) => name === `${layer}/${weight}`);
    const found = exact.length > 0 ? exact : names.filter(fits);
    if (found.length !== 1)
      throw new TfjsImportError(
        `its weight "${weight}" ${found.length === 0 ? 'is missing in' : 'comes more than once in'} the weights manifest.`,
        layer,
      );
    const [name] = found;
    const tensor = this.#tensors.get(name)!; // the names are those of tensors
    if (tensor.shape.join() !== shape.join())
      throw new TfjsImportError(
        `its weight "${name}" has shape [${tensor.shape.join(', ')}]; expected [${shape.join(', ')}].`,
        layer,
      );
    this.#tensors.delete(name);
    return tensor.values;
  }

  /** To be called last: what no layer took was not understood. */
  end(): void {
    for (const name of this.#tensors.keys())
      throw new TfjsImportError(`The manifest names the weight "${name}", but no layer uses it.`);
  }
}

/** A manifest has groups of weights; in memory tfjs has the weights themselves. */
function entriesOf(group: unknown): readonly unknown[] {
  const config = new Config(group, 'an entry of the weights manifest');
  return config.has('weights') ? config.list('weights') : [group];
}

function readEntry(entry: unknown): { name: string; shape: readonly number[] } {
  const config = new Config(entry, 'a weight of the manifest');
  const name = config.text('name');
  const dtype = config.text('dtype', 'float32');
  if (dtype !== 'float32' || config.has('quantization'))
    throw new TfjsImportError(
      `The weight "${name}" is ${config.has('quantization') ? 'quantised' : dtype}; convert the model again with float32 weights.`,
    );
  const shape = config.list('shape');
  const size = shape.reduce<number>((product, axis) => product * (isCount(axis) ? axis : NaN), 1);
  if (!(shape.every(isCount) && size < 2 ** 31))
    throw new TfjsImportError(
      `The weight "${name}" has the shape ${JSON.stringify(shape).slice(0, 64)}; expected lengths from 1.`,
    );
  return { name, shape };
}

function join(shards: readonly ArrayBuffer[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(shards.reduce((length, shard) => length + shard.byteLength, 0));
  let offset = 0;
  for (const shard of shards) {
    whole.set(new Uint8Array(shard), offset);
    offset += shard.byteLength;
  }
  return whole;
}
