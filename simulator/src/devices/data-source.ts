import { openPack, syntheticWrist, type Pack } from '../data/index.ts';

/** Where a device process finds its person's data. */
export type DataSource =
  { kind: 'pack'; directory: string } | { kind: 'synthetic'; seed: number; users: number };

export function openSource(source: DataSource): Promise<Pack> {
  return source.kind === 'pack'
    ? openPack(source.directory)
    : Promise.resolve(syntheticWrist(source.seed, { users: source.users }));
}
