import { unzipSync } from 'fflate';
import { DataFetchError } from './data-fetch-error.ts';
import { quoted, quotedList } from './quoted.ts';

/**
 * The bytes of exactly the named members of a ZIP archive, in memory: no path from the archive is ever used, other
 * members are not unpacked, and what a member may unpack to is limited before it is unpacked.
 * @throws DataFetchError `fetch-archive` when it is no ZIP archive or a member is missing or there twice,
 * `fetch-too-large` when a member is larger than `maxBytes`.
 */
export function archiveMembers(
  archive: Uint8Array,
  names: readonly string[],
  maxBytes: number,
): ReadonlyMap<string, Uint8Array> {
  const wanted = new Set(names);
  const found = new Set<string>();
  const unpack = () =>
    unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        if (!wanted.has(name)) return false;
        if (found.has(name))
          throw new DataFetchError('fetch-archive', `The archive holds ${quoted(name)} twice. Get it again.`);
        found.add(name);
        if (originalSize <= maxBytes) return true; // and no more is unpacked, whatever the compressed data holds
        throw new DataFetchError(
          'fetch-too-large',
          `${quoted(name)} would unpack to ${originalSize} bytes; expected at most ${maxBytes}. Get the archive again.`,
        );
      },
    });
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unpack();
  } catch (error) {
    if (error instanceof DataFetchError) throw error;
    throw new DataFetchError(
      'fetch-archive',
      `The ${archive.length} bytes are no sound ZIP archive (${quoted((error as Error).message)}). Get it again.`,
      { cause: error },
    );
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0)
    throw new DataFetchError(
      'fetch-archive',
      `The archive lacks ${quotedList(missing)}. It is not the expected archive, or not whole: get it again.`,
    );
  return new Map(names.map((name) => [name, unpacked[name]!]));
}

/** Whether a ZIP archive has a member of this name. Nothing is unpacked; false also for what is no ZIP archive. */
export function hasMember(archive: Uint8Array, name: string): boolean {
  let there = false;
  try {
    unzipSync(archive, { filter: (file) => ((there ||= file.name === name), false) });
  } catch {
    return false; // archiveMembers says what is wrong with it
  }
  return there;
}
