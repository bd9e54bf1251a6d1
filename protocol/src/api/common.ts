import { Type, type Static, type TSchema, type TUnsafe } from 'typebox';
import { Page } from '../schemas/resources.ts';

export const closed = { additionalProperties: false } as const;

export const Instant = Type.String({ format: 'date-time', description: 'Database time, RFC 3339.' });
export const Name = Type.String({ minLength: 1, maxLength: 128 });
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

export function Nullable<T extends TSchema>(schema: T): TUnsafe<Static<T> | null> {
  return Type.Unsafe<Static<T> | null>({ anyOf: [schema, { type: 'null' }] });
}

export function OneOf<const T extends string>(values: readonly T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: [...values] });
}

/** A page of `item`s. */
export function PageOf<T extends TSchema>(item: T): TUnsafe<{ items: Static<T>[]; next: string | null }> {
  return Page<Static<T>>(item);
}

const pageFields = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  cursor: Type.Optional(Type.String({ maxLength: 512, description: '`next` of the page before.' })),
};

/** Query of a paged list. */
export const PageQuery = Type.Object(pageFields, closed);
export type PageQuery = Static<typeof PageQuery>;

/** Query of a paged list with filters beside. */
export function filteredPageQuery<P extends Record<string, TSchema>>(filters: P) {
  return Type.Object({ ...pageFields, ...filters }, closed);
}

/** An id with which examples stand for one of its kind: the tests put a real one in its place. */
export function exampleId(prefix: string): string {
  return `${prefix}_${'A'.repeat(22)}`;
}
