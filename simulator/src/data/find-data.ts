import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { quoted } from './quoted.ts';

/** The surroundings of the program, handed in. */
export interface DataSearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that relative paths start from. */
  readonly cwd: string;
  /** The root of the repository. */
  readonly root: string;
}

/** No pack of that name is anywhere that data is looked for. */
export class DataNotFound extends Error {
  override readonly name = 'DataNotFound';
  readonly code = 'data-not-found';
  /** The directories that were tried, in order. */
  readonly tried: readonly string[];

  constructor(wanted: string, tried: readonly string[]) {
    super(
      [
        `There is no data pack ${quoted(wanted)}. A pack is a directory with index.json and data.bin; these were tried:`,
        ...tried.map((directory) => `  ${quoted(directory)}`),
        'What you can do:',
        '  starling data fetch uci-har   downloads an open data set (30 people) from its publisher',
        '  --data DIR                    takes any pack directory; STARLING_DATA=DIR names the directory above several',
        '  --synthetic                   uses made-up people instead, to see the machinery work',
      ].join('\n'),
    );
    this.tried = tried;
  }
}

/** Where `starling data fetch` puts packs: inside the repository, ignored by git. */
export function downloadDirectory(root: string): string {
  return join(root, '.starling', 'data');
}

/**
 * The directory of a pack, by path (relative to `cwd`) or by name under `STARLING_DATA`, the download directory,
 * and `shared/data` beside the repository, in this order.
 * @throws DataNotFound when none of them has an index.json.
 */
export async function findPack(nameOrDirectory: string, { env, cwd, root }: DataSearch): Promise<string> {
  const above = [env['STARLING_DATA'], downloadDirectory(root), join(root, '..', 'shared', 'data')];
  const isName = /^[\w-][\w.-]*$/.test(nameOrDirectory);
  const tried = [
    resolve(cwd, nameOrDirectory),
    ...(isName ? above : []).flatMap((directory) =>
      directory === undefined || directory === '' ? [] : [resolve(cwd, directory, nameOrDirectory)],
    ),
  ];
  for (const directory of tried) if (await isFile(join(directory, 'index.json'))) return directory;
  throw new DataNotFound(nameOrDirectory, tried);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false, // not there, or not readable: the next place may be
  );
}
