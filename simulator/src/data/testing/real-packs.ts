import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const besideTheRepository = fileURLToPath(new URL('../../../../../shared/data', import.meta.url));

/** Where the packs of real people are on this machine: `STARLING_DATA`, or `shared/data` beside the repository. */
export const realData = process.env['STARLING_DATA'] ?? besideTheRepository;

/** The part of a test's name that says why it is skipped, or nothing when it runs. */
export function unlessPresent(...names: string[]): { skip: boolean; reason: string } {
  const absent = names.filter((name) => !existsSync(join(realData, name, 'index.json')));
  return {
    skip: absent.length > 0,
    reason: absent.length > 0 ? ` (skipped: no ${absent.join(', ')}; set STARLING_DATA)` : '',
  };
}
