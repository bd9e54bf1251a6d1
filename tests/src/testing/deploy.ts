import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The root of the repository, and what is deployed from. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const deploy = join(root, 'deploy');

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export interface JsonObject {
  [name: string]: Json;
}

export async function readYaml<T>(path: string): Promise<T> {
  return parse(await readFile(path, 'utf8'), { merge: true }) as T;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A strategic merge patch, as kustomize applies it: objects are merged, lists of named things by name, other lists replaced. */
export function patched(base: Json | undefined, patch: Json): Json {
  if (Array.isArray(base) && Array.isArray(patch) && base.every(isNamed) && patch.every(isNamed)) {
    const changed = new Map(patch.map((each) => [each.name, each]));
    const before = base.map((each) => patched(each, changed.get(each.name) ?? {}));
    return [...before, ...patch.filter(({ name }) => !base.some((each) => each.name === name))];
  }
  if (!isObject(base) || !isObject(patch)) return patch;
  const merged: JsonObject = { ...base };
  for (const [name, value] of Object.entries(patch)) merged[name] = patched(base[name], value);
  return merged;
}

function isNamed(value: Json): value is JsonObject & { name: Json } {
  return isObject(value) && 'name' in value;
}

/** Every object below a value, itself included. */
export function objectsIn(value: Json): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return isObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

/** The names of variables that the server and its command read from the environment. */
export async function environmentNames(): Promise<Set<string>> {
  const names = new Set(['PGPASSWORD', 'NODE_ENV']); // read by pg and by Node
  for (const room of ['cli', 'server']) {
    const sources = await readdir(join(root, room, 'src'), { recursive: true });
    for (const file of sources.filter((name) => name.endsWith('.ts') && !name.includes('test'))) {
      const text = await readFile(join(root, room, 'src', file), 'utf8');
      for (const [, name = ''] of text.matchAll(/(?:process\.env|environment)\['?([A-Z_]+)'?\]/g))
        names.add(name);
      for (const [name] of text.matchAll(/AWS_[A-Z_]+/g)) names.add(name);
    }
  }
  return names;
}
