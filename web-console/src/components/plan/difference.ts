import { leavesOf, type Json } from './document.ts';

/** One value in which documents may differ: `undefined` where a document has none. */
export interface ComparedValue {
  readonly path: string;
  readonly values: readonly (Json | undefined)[];
  readonly same: boolean;
}

/** Documents side by side: every value that one of them has, in the order of the first that has it. */
export function sideBySide(documents: readonly Json[]): ComparedValue[] {
  const leaves = documents.map((document) => new Map(leavesOf(document)));
  const paths: string[] = [];
  for (const each of leaves) {
    let after = -1;
    for (const path of each.keys()) {
      const known = paths.indexOf(path);
      if (known === -1) paths.splice(++after, 0, path);
      else after = known;
    }
  }
  return paths.map((path) => {
    const values = leaves.map((each) => each.get(path));
    const written = values.map((value) => JSON.stringify(value));
    return { path, values, same: written.every((each) => each === written[0]) };
  });
}
