import { TfjsImportError } from './errors.ts';

/** A JSON object whose keys are read one by one; null stands for a key that is missing, as tfjs writes defaults. */
export class Config {
  readonly #source: object;
  readonly #layer: string | undefined;

  constructor(json: unknown, what: string, layer?: string) {
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw new TfjsImportError(`${what} is ${describe(json)}; expected an object.`, layer);
    this.#source = json;
    this.#layer = layer;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): unknown {
    if (!Object.hasOwn(this.#source, key)) return undefined;
    return (this.#source as Record<string, unknown>)[key] ?? undefined; // an own key of a plain object
  }

  object(key: string): Config {
    return new Config(this.get(key), `"${key}"`, this.#layer);
  }

  list(key: string): readonly unknown[] {
    const value = this.get(key);
    if (Array.isArray(value)) return value;
    throw this.#wrong(key, 'a list');
  }

  text(key: string, otherwise?: string): string {
    const value = this.get(key) ?? otherwise;
    if (typeof value === 'string') return value;
    throw this.#wrong(key, 'a text');
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.get(key) ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw this.#wrong(key, 'true or false');
  }

  number(key: string, otherwise?: number): number {
    const value = this.get(key) ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.#wrong(key, 'a finite number');
  }

  /** A whole number from 1 that f32 can hold. */
  count(key: string): number {
    const value = this.number(key);
    if (isCount(value)) return value;
    throw this.#wrong(key, 'a whole number from 1');
  }

  /** So many counts, or one that stands for all of them. */
  counts(key: string, length: number, otherwise?: readonly number[]): readonly number[] {
    const value = this.get(key) ?? otherwise;
    const list: readonly unknown[] = Array.isArray(value) ? value : Array.from({ length }, () => value);
    if (list.length === length && list.every(isCount)) return list;
    throw this.#wrong(key, length === 1 ? 'a whole number from 1' : `${length} whole numbers from 1`);
  }

  #wrong(key: string, expected: string): TfjsImportError {
    return new TfjsImportError(`"${key}" is ${describe(this.get(key))}; expected ${expected}.`, this.#layer);
  }
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < 2 ** 24;
}

/** A few characters that say what a JSON value is. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? `a list of ${value.length}` : `a ${typeof value}`;
}
