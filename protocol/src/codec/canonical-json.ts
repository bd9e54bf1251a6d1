import { sha256, type Sha256 } from './digest.ts';
import { isWellFormed, utf8Encode } from './utf8.ts';

/**
 * JSON Canonicalization Scheme (RFC 8785): equal values give equal bytes, in every language, so JSON can be named
 * by its digest.
 */

export type CanonicalJsonErrorCode =
  'not-json' | 'number-not-finite' | 'lone-surrogate' | 'cycle' | 'too-deep';

/** A value that has no canonical JSON. `path` is a JSON pointer (RFC 6901) to the part at fault. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError';
  readonly code: CanonicalJsonErrorCode;
  readonly path: string;

  constructor(code: CanonicalJsonErrorCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/** Deeper than any document of ours, and shallow enough for the stack of every engine. */
const maxDepth = 500;

/**
 * The canonical text of a JSON value: no white space (RFC 8785, 3.2.1), strings and numbers as ECMAScript writes
 * them (3.2.2), members sorted by the UTF-16 code units of their names (3.2.3).
 *
 * Throws {@link CanonicalJsonError} on NaN and infinities, undefined, bigint, symbols, functions, objects that are
 * not plain, lone surrogates, cycles, and nesting beyond 500 levels.
 *
 * @example canonicalJson({ b: [1e3, true], a: 'é' }) // '{"a":"é","b":[1000,true]}'
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

/** Digest of the canonical text in UTF-8. Throws as {@link canonicalJson} does. */
export function digestJson(value: unknown): Sha256 {
  return sha256(utf8Encode(canonicalJson(value)));
}

/** One level of nesting above the value being written. */
interface Parent {
  readonly value: object;
  key: string | number;
}

function write(value: unknown, parents: Parent[]): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, parents);
    case 'number':
      if (!Number.isFinite(value))
        throw refusal('number-not-finite', parents, `is ${value}; JSON has finite numbers`);
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : writeContainer(value, parents);
    default:
      throw refusal('not-json', parents, `is of type ${typeof value}, which JSON does not have`);
  }
}

function writeString(text: string, parents: readonly Parent[]): string {
  if (!isWellFormed(text)) throw refusal('lone-surrogate', parents, 'holds half a surrogate pair');
  return JSON.stringify(text);
}

function writeContainer(value: object, parents: Parent[]): string {
  if (parents.some((parent) => parent.value === value)) throw refusal('cycle', parents, 'contains itself');
  if (parents.length === maxDepth) throw refusal('too-deep', parents, `is nested beyond ${maxDepth} levels`);
  const here: Parent = { value, key: '' };
  parents.push(here);
  const text = Array.isArray(value) ? writeArray(value, here, parents) : writeObject(value, here, parents);
  parents.pop();
  return text;
}

function writeArray(items: readonly unknown[], here: Parent, parents: Parent[]): string {
  const parts: string[] = [];
  for (let index = 0; index < items.length; index++) {
    here.key = index;
    parts.push(write(items[index], parents));
  }
  return `[${parts.join(',')}]`;
}

function writeObject(value: object, here: Parent, parents: Parent[]): string {
  if (!isPlain(value)) {
    throw refusal('not-json', parents.slice(0, -1), 'is not a plain object; convert it to one first');
  }
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    here.key = key;
    parts.push(`${writeString(key, parents)}:${write((value as Record<string, unknown>)[key], parents)}`); // its own key
  }
  return `{${parts.join(',')}}`;
}

/** Also true of plain objects from another realm, which have an Object.prototype of their own. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refusal(code: CanonicalJsonErrorCode, parents: readonly Parent[], what: string): CanonicalJsonError {
  const path = parents
    .map(({ key }) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
  return new CanonicalJsonError(code, path, `No canonical JSON: the value at "${path}" ${what}.`);
}
