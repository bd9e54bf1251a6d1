import { utf8Encode } from './bytes.ts';
import { sha256, type Sha256 } from './digest.ts';

/** A value that JSON cannot hold, and where it is. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError';
  readonly code = 'not-canonical-json';
  readonly path: string;

  constructor(path: string, what: string) {
    super(`${path} is ${what}, which canonical JSON (RFC 8785) cannot hold.`);
    this.path = path;
  }
}

/**
 * The canonical JSON of a value (RFC 8785): members sorted by UTF-16 code units (section 3.2.3), numbers and
 * strings as ECMAScript writes them (3.2.2), no white space. Throws {@link CanonicalJsonError}.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', []);
}

/** SHA-256 of the canonical JSON, in UTF-8. */
export function digestJson(value: unknown): Sha256 {
  return sha256(utf8Encode(canonicalJson(value)));
}

function write(value: unknown, path: string, above: readonly object[]): string {
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'number':
      if (!Number.isFinite(value)) throw new CanonicalJsonError(path, String(value));
      return JSON.stringify(value);
    case 'string':
      if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value))
        throw new CanonicalJsonError(path, 'a string with a lone surrogate');
      return JSON.stringify(value);
    case 'object': {
      if (value === null) return 'null';
      if (above.includes(value)) throw new CanonicalJsonError(path, 'part of a cycle');
      const within = [...above, value];
      if (Array.isArray(value)) {
        return `[${value.map((item, index) => write(item, `${path}[${index}]`, within)).join(',')}]`;
      }
      const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      return `{${members
        .map(([name, member]) => `${write(name, path, within)}:${write(member, `${path}.${name}`, within)}`)
        .join(',')}}`;
    }
    default:
      throw new CanonicalJsonError(path, `a ${typeof value}`);
  }
}
