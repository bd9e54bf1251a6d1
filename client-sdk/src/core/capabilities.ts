import { engineVersion, type ProbeReport } from '@starling/model';
import { utf8Decode } from '@starling/protocol';
import type { Storage, Trainer } from './ports.ts';
import { readJson, writeJson } from './stored-json.ts';

/** What a device can compute with: measured once for each version of the engine, then remembered. */
export interface Capabilities extends ProbeReport {
  /** The engine that measured. */
  readonly engine: string;
}

const key = 'capabilities';

export async function capabilitiesOf({
  storage,
  trainer,
}: {
  readonly storage: Storage;
  readonly trainer: Trainer;
}): Promise<Capabilities> {
  const known = await readJson<Capabilities>(storage, key);
  if (known?.engine === engineVersion) return known;
  const { bytes } = await trainer.run({ kind: 'probe' });
  const report = JSON.parse(utf8Decode(bytes)) as ProbeReport; // written by the workbench
  const measured = { engine: engineVersion, ...report };
  await writeJson(storage, key, measured);
  return measured;
}
