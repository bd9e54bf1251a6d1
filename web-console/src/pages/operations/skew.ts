/** How the version of an SDK stands to the server's; `other` where it is not a version. */
export type Standing = 'same' | 'older' | 'newer' | 'other';

/** Compares versions by their numbers (SemVer 2.0.0, section 11, without pre-releases). */
export function standingOf(sdk: string, server: string): Standing {
  if (sdk === server) return 'same';
  const [a, b] = [numbersOf(sdk), numbersOf(server)];
  if (!a || !b) return 'other';
  const at = a.findIndex((number, index) => number !== b[index]);
  if (at === -1) return 'other'; // they differ in what is not a number
  return (a[at] ?? 0) < (b[at] ?? 0) ? 'older' : 'newer';
}

function numbersOf(version: string): number[] | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return found ? found.slice(1).map(Number) : undefined;
}
