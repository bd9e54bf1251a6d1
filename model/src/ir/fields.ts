import { ModelError } from './errors.ts';
import type { ModelLimits } from './limits.ts';

/** Letters, digits, `_ . / -`; starts with a letter or digit. Safe in paths, file names and messages. */
const identifier = /^[A-Za-z0-9][A-Za-z0-9_./-]*$/;

/**
 * The keys of one JSON object, each of which must be read: what nobody asked for is an error. Only own keys count,
 * so that `__proto__` or an inherited key is never taken for a field.
 */
export class Fields {
  readonly path: string;
  readonly #source: object;
  readonly #limits: ModelLimits;
  readonly #unread: Set<string>;

  constructor(json: unknown, path: string, limits: ModelLimits) {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new ModelError('model-malformed', path, `found ${describe(json)}; expected an object.`);
    this.path = path;
    this.#source = json;
    this.#limits = limits;
    this.#unread = new Set(Object.keys(json));
  }

  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#source, key);
  }

  /** The raw value of a key, undefined where it is missing. */
  take(key: string): unknown {
    this.#unread.delete(key);
    return this.has(key) ? (this.#source as Record<string, unknown>)[key] : undefined; // an own key of a plain object
  }

  object(key: string): Fields {
    return new Fields(this.take(key), this.at(key), this.#limits);
  }

  /** Stands for an object that was left out: every key has its default. */
  nothing(key: string): Fields {
    return new Fields({}, this.at(key), this.#limits);
  }

  list(key: string, most: number): readonly unknown[] {
    const value = this.take(key);
    if (!Array.isArray(value)) throw this.#malformed(key, value, 'a list');
    if (value.length > most)
      throw new ModelError(
        'model-limit-exceeded',
        this.at(key),
        `has ${value.length} entries; at most ${most} are allowed here.`,
      );
    return value;
  }

  objects(key: string, most: number): readonly Fields[] {
    return Array.from(
      this.list(key, most),
      (item, i) => new Fields(item, `${this.at(key)}[${i}]`, this.#limits),
    );
  }

  /** An id that is safe to show and to use in a path. */
  id(key: string): string {
    return this.#identifier(this.take(key), this.at(key));
  }

  ids(key: string, most: number): readonly string[] {
    return Array.from(this.list(key, most), (item, i) => this.#identifier(item, `${this.at(key)}[${i}]`));
  }

  oneOf<const Choice extends string | number>(
    key: string,
    choices: readonly Choice[],
    otherwise?: Choice,
  ): Choice {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    const value = this.take(key);
    const found = choices.find((choice) => choice === value);
    if (found === undefined)
      throw this.#malformed(key, value, choices.map((choice) => JSON.stringify(choice)).join(' or '));
    return found;
  }

  boolean(key: string, otherwise: boolean): boolean {
    if (!this.has(key)) return otherwise;
    const value = this.take(key);
    if (typeof value !== 'boolean') throw this.#malformed(key, value, 'true or false');
    return value;
  }

  finite(key: string): number {
    const value = this.take(key);
    if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
      throw this.#malformed(key, value, 'a finite number that float32 can hold');
    return value;
  }

  positive(key: string, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    const value = this.finite(key);
    if (Math.fround(value) <= 0) throw this.#malformed(key, value, 'a number above 0 that float32 can hold');
    return value;
  }

  /** From `least` up to, but not including, `below`. */
  within(key: string, least: number, below: number, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    const value = this.finite(key);
    if (value < least || value >= below)
      throw this.#malformed(
        key,
        value,
        below === Infinity ? `a number from ${least}` : `a number from ${least} to below ${below}`,
      );
    return value;
  }

  integer(key: string, least: number, most: number, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    return this.#integer(this.take(key), this.at(key), least, most);
  }

  /** A list of exactly `length` integers. */
  integers(
    key: string,
    length: number,
    least: number,
    most: number,
    otherwise?: readonly number[],
  ): readonly number[] {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    const items = this.list(key, length);
    if (items.length !== length) throw this.#malformed(key, items, `${length} integers`);
    return Array.from(items, (item, i) => this.#integer(item, `${this.at(key)}[${i}]`, least, most));
  }

  /** As many integers as a value has axes, or fewer. */
  axes(key: string, least: number, most: number): readonly number[] {
    const items = this.list(key, this.#limits.maxRank);
    return Array.from(items, (item, i) => this.#integer(item, `${this.at(key)}[${i}]`, least, most));
  }

  /** Lengths of axes, each at least 1; `B` may come first where `batch` says so, and must then. */
  shape(key: string, batch: boolean): readonly (number | 'B')[] {
    const items = this.list(key, this.#limits.maxRank);
    if (items.length === 0) throw this.#malformed(key, items, 'at least one axis');
    return Array.from(items, (item, i) => {
      const path = `${this.at(key)}[${i}]`;
      if (batch && i === 0) {
        if (item === 'B') return item;
        throw new ModelError('model-malformed', path, `found ${describe(item)}; expected "B", the batch.`);
      }
      return this.#integer(item, path, 1, this.#limits.maxParameters);
    });
  }

  /** To be called last: refuses what was not read. */
  end(): void {
    if (this.#unread.size === 0) return;
    const [key] = this.#unread;
    throw new ModelError(
      'model-unknown-key',
      this.path,
      `has the unknown key ${JSON.stringify(key.slice(0, 64))}; remove it, or use the version of the IR that knows it.`,
    );
  }

  #identifier(value: unknown, path: string): string {
    const { maxIdLength } = this.#limits;
    if (typeof value === 'string' && value.length <= maxIdLength && identifier.test(value)) return value;
    throw new ModelError(
      'model-malformed',
      path,
      `found ${describe(value)}; expected an id of at most ${maxIdLength} letters, digits, "_", ".", "/" or "-" that starts with a letter or digit.`,
    );
  }

  #integer(value: unknown, path: string, least: number, most: number): number {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new ModelError(
      'model-malformed',
      path,
      `found ${describe(value)}; expected an integer from ${least} to ${most}.`,
    );
  }

  #malformed(key: string, value: unknown, expected: string): ModelError {
    const found = this.has(key) ? `found ${describe(value)}` : 'is missing';
    return new ModelError('model-malformed', this.at(key), `${found}; expected ${expected}.`);
  }
}

/** A few characters that say what a JSON value is. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
