import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';

/** Collects NAME=DIR. */
export function dataSet(text: string, before: Record<string, string>): Record<string, string> {
  const [, name, directory] = /^([a-z0-9][a-z0-9._-]{0,63})=(.+)$/.exec(text) ?? [];
  if (name === undefined || directory === undefined)
    throw new InvalidArgumentError('Expected NAME=DIR, the name of lower-case letters, digits and . _ -');
  return { ...before, [name]: resolve(directory) };
}
