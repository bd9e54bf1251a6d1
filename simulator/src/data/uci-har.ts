/**
 * "Human Activity Recognition Using Smartphones" as its authors publish it, turned into a pack.
 * Anguita, Ghio, Oneto, Parra, Reyes-Ortiz (2013), ESANN; UCI repository, data set 240, doi:10.24432/C54S4K.
 */
import { archiveMembers, hasMember } from './archive-members.ts';
import { DataFetchError } from './data-fetch-error.ts';
import type { PackContents } from './encode-pack.ts';
import { quoted, quotedList } from './quoted.ts';

/** What the publisher says about the data set, and how large its parts can be. */
export interface UciHarFacts {
  readonly subjects: number;
  readonly features: number;
  readonly trainRows: number;
  readonly testRows: number;
  readonly classes: readonly string[];
  readonly maxArchiveBytes: number;
  readonly maxMemberBytes: number;
}

/** Version 1.0: features are normalised to [-1, 1]. The archive has about 60 MB, its largest table about 66 MB. */
export const uciHarFacts: UciHarFacts = {
  subjects: 30,
  features: 561,
  trainRows: 7352,
  testRows: 2947,
  classes: ['WALKING', 'WALKING_UPSTAIRS', 'WALKING_DOWNSTAIRS', 'SITTING', 'STANDING', 'LAYING'],
  maxArchiveBytes: 128 * 2 ** 20,
  maxMemberBytes: 128 * 2 ** 20,
};

const inner = 'UCI HAR Dataset.zip';
const folder = 'UCI HAR Dataset';
const parts = ['train', 'test'] as const;
const tables = ['X', 'y', 'subject'] as const;
const member = {
  features: `${folder}/features.txt`,
  classes: `${folder}/activity_labels.txt`,
  table: (part: string, table: string) => `${folder}/${part}/${table}_${part}.txt`,
};

/**
 * The pack made from the published archive (or from the archive inside it): all features as float32, one user for each
 * subject in ascending order, rows in the published order, which is time order. Folds: place of the subject mod 5.
 * @throws DataFetchError `fetch-archive`, `fetch-too-large` or `fetch-facts`.
 */
export function uciHarContents(
  archive: Uint8Array,
  facts: UciHarFacts,
  origin: Readonly<Record<string, unknown>>,
): PackContents {
  const names = [
    member.features,
    member.classes,
    ...parts.flatMap((part) => tables.map((table) => member.table(part, table))),
  ];
  const unwrapped = hasMember(archive, inner)
    ? archiveMembers(archive, [inner], facts.maxMemberBytes).get(inner)!
    : archive;
  const members = archiveMembers(unwrapped, names, facts.maxMemberBytes);
  const read = (name: string) => [...lines(members.get(name)!)];

  const features = read(member.features).map((line) => line.split(' ').slice(1).join(' '));
  requireFact('features', facts.features, features.length);
  const classes = read(member.classes).map((line) => line.split(' ')[1] ?? '');
  requireFact('classes', facts.classes.map(quoted).join(', '), quotedList(classes));
  const rows = parts.flatMap((part) => {
    const labels = read(member.table(part, 'y')).map(Number);
    const subjects = read(member.table(part, 'subject')).map(Number);
    const values = read(member.table(part, 'X'));
    const expected = part === 'train' ? facts.trainRows : facts.testRows;
    for (const table of [labels, subjects, values]) requireFact(`${part} rows`, expected, table.length);
    return values.map((line, i) => ({ line, label: labels[i]! - 1, subject: subjects[i]! }));
  });
  if (!rows.every(({ label }) => facts.classes[label] !== undefined))
    throw new DataFetchError('fetch-facts', `A label is not from 1 to ${classes.length}. ${getItAgain}`);

  const subjects = [...new Set(rows.map(({ subject }) => subject))].sort((a, b) => a - b);
  requireFact('subjects', facts.subjects, subjects.length);
  const ordered = subjects.flatMap((subject) => rows.filter((row) => row.subject === subject));
  const x = new Float32Array(ordered.length * features.length);
  ordered.forEach(({ line }, row) => {
    x.set(featureRow(line, features.length), row * features.length);
  });
  return {
    name: 'uci-har',
    title: `UCI HAR smartphone (waist), ${features.length} features, ${classes.length} activities`,
    classes,
    users: subjects.map((subject, place) => ({
      id: String(subject),
      count: rows.filter((row) => row.subject === subject).length,
      fold: place % 5,
    })),
    arrays: [
      {
        name: 'x',
        dtype: 'float32',
        shape: [ordered.length, features.length],
        values: x,
        about: { units: 'normalised [-1,1]' },
      },
      { name: 'y', dtype: 'uint8', shape: [ordered.length], values: ordered.map(({ label }) => label) },
    ],
    about: {
      task: 'classification',
      features,
      sampleRateHz: 50,
      windowSeconds: 2.56,
      license:
        'CC-BY-4.0 as listed by the UCI repository; the README inside the archive says: no commercial use',
      citation: 'Anguita, Ghio, Oneto, Parra, Reyes-Ortiz (2013), ESANN; UCI repository, doi:10.24432/C54S4K',
      split: 'rows of one user in time order; neighbouring windows overlap by half: leave one out at a cut',
      ...origin,
    },
  };
}

function featureRow(line: string, features: number): number[] {
  const values = line.split(/\s+/).map(Number);
  requireFact('values in a row', features, values.length);
  const outside = values.find((value) => !(Math.abs(value) <= 1));
  if (outside === undefined) return values;
  throw new DataFetchError(
    'fetch-facts',
    `A feature has the value ${outside}; the publisher says that all are within [-1, 1]. ${getItAgain}`,
  );
}

const getItAgain = 'This is not version 1.0 of the data set, or it was altered: get the archive again.';

function requireFact(what: string, published: number | string, found: number | string): void {
  if (published !== found)
    throw new DataFetchError(
      'fetch-facts',
      `The archive has these ${what}: ${found}; published are ${published}. ${getItAgain}`,
    );
}

/** The non-empty lines of an ASCII text, without the space around them. One at a time: the tables are large. */
function* lines(text: Uint8Array): Generator<string> {
  const decoder = new TextDecoder('latin1');
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf(10, start);
    const end = newline < 0 ? text.length : newline;
    const line = decoder.decode(text.subarray(start, end)).trim();
    if (line !== '') yield line;
    start = end + 1;
  }
}
