import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createClient, type Client } from '@starling/protocol/api';
import type { Command } from 'commander';

export interface ConnectionOptions {
  url: string;
  keyFile?: string;
  project?: string;
  json: boolean;
}

/** Options that every command of the admin API takes. The key itself is none: others see a command line. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--url <url>', 'the server', process.env['STARLING_URL'] ?? 'http://127.0.0.1:7700')
    .option('--key-file <file>', 'a file that holds the API key (default: the variable STARLING_KEY)')
    .option('--project <id>', 'the project to act in, with a key of role server')
    .option('--json', 'print the answer of the server as one line of JSON', false);
}

/** The client of a command. Throws an Error that says where a key may come from, when there is none. */
export async function connect({ url, keyFile, project }: ConnectionOptions): Promise<Client> {
  const key = keyFile === undefined ? process.env['STARLING_KEY'] : (await readFile(keyFile, 'utf8')).trim();
  if (key === undefined || key === '') {
    throw new Error('No API key: set STARLING_KEY, or name a file that holds it with --key-file.');
  }
  return createClient({
    url: url.replace(/\/$/, ''),
    key,
    http: fetch,
    newKey: randomUUID,
    ...(project !== undefined && { project }),
  });
}
