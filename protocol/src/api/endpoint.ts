import type { Static, TSchema } from 'typebox';
import type { Role } from '../access.ts';

/** One route of the admin API: the server registers it, OpenAPI describes it and the client calls it from this. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  /** With `:name` for each of `params`. */
  readonly path: string;
  /** The group of the reference. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may call it. */
  readonly role: Role;
  readonly params?: Readonly<Record<string, TSchema>>;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** A body that a caller may send, for the reference and for the tests. */
  readonly example?: unknown;
  readonly answer: TSchema;
  readonly status?: 200 | 201;
  /** A POST that changes nothing: neither recorded in the audit log nor repeated by idempotency key. */
  readonly readOnly?: true;
}

export type ParamsOf<E extends Endpoint> = E extends { params: infer P extends Record<string, TSchema> }
  ? { [K in keyof P]: Static<P[K]> }
  : unknown;
export type QueryOf<E extends Endpoint> = E extends { query: infer Q extends TSchema } ? Static<Q> : unknown;
export type BodyOf<E extends Endpoint> = E extends { body: infer B extends TSchema } ? Static<B> : unknown;
export type AnswerOf<E extends Endpoint> = Static<E['answer']>;

/** What a caller hands in, under the names that the parts have in HTTP. */
export type InputOf<E extends Endpoint> = (E extends { params: object } ? { params: ParamsOf<E> } : unknown) &
  (E extends { query: object } ? { query?: Partial<QueryOf<E>> } : unknown) &
  (E extends { body: object }
    ? Record<string, never> extends BodyOf<E>
      ? { body?: BodyOf<E> }
      : { body: BodyOf<E> }
    : unknown);
