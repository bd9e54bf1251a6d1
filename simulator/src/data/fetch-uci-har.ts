import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DataFetchError } from './data-fetch-error.ts';
import type { Pack } from './fedpack.ts';
import { quoted } from './quoted.ts';
import { uciHarContents, uciHarFacts, type UciHarFacts } from './uci-har.ts';
import { requireFree, writeFedpack } from './write-fedpack.ts';

/** Where the UCI repository publishes data set 240. */
export const uciHarUrl =
  'https://archive.ics.uci.edu/static/public/240/human+activity+recognition+using+smartphones.zip';

export interface FetchUciHarOptions {
  readonly fetch: (url: string) => Promise<Response>;
  /** Takes one line of progress at a time. */
  readonly log: (line: string) => void;
  /** A copy of the published archive that was got by hand; nothing is downloaded then. */
  readonly archive?: string;
  /**
   * SHA-256 that the archive must have, in hexadecimal. The publisher gives none, so the first download cannot be
   * compared with anything but the published facts; its digest is printed and kept in index.json, and whoever wants
   * the same bytes later, on another machine or in a build, pins it with this.
   */
  readonly sha256?: string;
  readonly facts?: UciHarFacts;
}

/**
 * Downloads the UCI HAR archive from its publisher, compares it with what the publisher says of it (30 subjects, 7,352
 * and 2,947 rows, 561 features, 6 classes), and writes it as a pack. The directory appears whole or not at all.
 * @throws DataFetchError when the archive cannot be got or is not what it should be; PackError `pack-exists` when the
 * directory is there already.
 */
export async function fetchUciHar(targetDirectory: string, options: FetchUciHarOptions): Promise<Pack> {
  const { log, facts = uciHarFacts } = options;
  const target = resolve(targetDirectory);
  await requireFree(target);
  if (options.archive === undefined) log(`Downloading ${uciHarUrl}`);
  const archive =
    options.archive === undefined
      ? await download(options.fetch, facts.maxArchiveBytes)
      : await readArchive(options.archive, facts.maxArchiveBytes);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  log(`The archive has ${archive.length} bytes and SHA-256 ${sha256}`);
  if (options.sha256 !== undefined && options.sha256.toLowerCase() !== sha256)
    throw new DataFetchError(
      'fetch-digest',
      `The archive has SHA-256 ${sha256}; pinned is ${quoted(options.sha256)}. Get the archive again, or find out why the publisher changed it before changing the pin.`,
    );
  const contents = uciHarContents(archive, facts, {
    source: uciHarUrl,
    archive: { bytes: archive.length, sha256 },
  });
  const pack = await writeFedpack(target, contents, readme(sha256));
  log(`Wrote ${pack.users.length} people, ${pack.rows} windows to ${target}`);
  return pack;
}

async function download(fetch: FetchUciHarOptions['fetch'], maxBytes: number): Promise<Uint8Array> {
  const failed = (reason: string, cause?: unknown) =>
    new DataFetchError(
      'fetch-network',
      `${uciHarUrl} could not be downloaded: ${reason}. Try again later, or download it with a browser and run: starling data fetch uci-har --archive FILE`,
      { cause },
    );
  try {
    const response = await fetch(uciHarUrl);
    if (!response.ok || response.body === null) throw failed(`the publisher answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      received += chunk.length;
      if (received > maxBytes) throw tooLarge('The download', maxBytes); // leaving the loop closes the connection
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof DataFetchError) throw error;
    const { message, cause } = error as Error;
    throw failed(quoted(cause instanceof Error ? `${message}: ${cause.message}` : message), error);
  }
}

async function readArchive(file: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw tooLarge(`File ${quoted(file)}`, maxBytes);
    return await readFile(file);
  } catch (error) {
    if (error instanceof DataFetchError) throw error;
    throw new DataFetchError(
      'fetch-file',
      `${quoted(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}); expected the archive from ${uciHarUrl}. Check the path.`,
      { cause: error },
    );
  }
}

function tooLarge(what: string, maxBytes: number): DataFetchError {
  return new DataFetchError(
    'fetch-too-large',
    `${what} has more than ${maxBytes} bytes, which the archive cannot have. Check where it comes from.`,
  );
}

function readme(sha256: string): string {
  return `# uci-har

Human Activity Recognition Using Smartphones: 30 people with a phone at the waist, six activities, 561 features of
each window of 2.56 seconds, normalised to [-1, 1] by the authors. Windows overlap by half.

- Source: ${uciHarUrl}
  (archive with SHA-256 ${sha256})
- Cite: Anguita, Ghio, Oneto, Parra, Reyes-Ortiz (2013), ESANN; doi:10.24432/C54S4K
- Licence: CC BY 4.0 as the UCI repository lists it; the README inside the archive forbids commercial use. Ask the
  authors before shipping the data, or anything learnt from it, inside a product.
- Made by \`starling data fetch uci-har\`: people in ascending order, rows of a person in published (time) order,
  \`fold\` = place of the person mod 5.
`;
}
