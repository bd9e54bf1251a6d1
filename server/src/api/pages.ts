import { fromBase64Url, ProblemError, toBase64Url, utf8Decode, utf8Encode } from '@starling/protocol';
import type { PageQuery } from '@starling/protocol/api';
import { DatabaseError, type Querier } from '../storage/database.ts';

/** Class of PostgreSQL's codes for values that are none of their type: here, a place that a cursor made up. */
const dataException = '22';

export interface Page<T> {
  items: T[];
  next: string | null;
}

/**
 * One page of `select * from <table> where <condition>`, newest first by (`column`, id). The cursor holds the last
 * row's place, so rows that come or go meanwhile neither repeat nor hide others.
 */
export async function readPage<R extends { id: string }>(
  querier: Querier,
  source: { table: string; condition: string; values: readonly unknown[]; column: string },
  query: PageQuery,
): Promise<Page<R>> {
  const { table, condition, values, column } = source;
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  const place = values.length;
  const asked = querier.query<R & { page_place: string }>(
    `select *, ${column}::text as page_place from ${table}
      where ${condition}
        and ($${place + 1}::text is null or (${column}, id) < ($${place + 1}::text::${typeOf(column)}, $${place + 2}))
      order by ${column} desc, id desc limit $${place + 3}`,
    [...values, after?.[0] ?? null, after?.[1] ?? '', query.limit + 1],
  );
  const rows = await asked.catch((error: unknown) => {
    if (after && error instanceof DatabaseError && error.sqlState?.startsWith(dataException)) {
      throw strangeCursor();
    }
    throw error;
  });
  const items = rows.slice(0, query.limit);
  const last = items.at(-1);
  const next = rows.length > query.limit && last ? writeCursor([last.page_place, last.id]) : null;
  return { items, next };
}

function typeOf(column: string): string {
  return column.endsWith('_at') ? 'timestamptz' : 'int';
}

function writeCursor(place: [string, string]): string {
  return toBase64Url(utf8Encode(JSON.stringify(place)));
}

function readCursor(cursor: string): [string, string] {
  try {
    const place: unknown = JSON.parse(utf8Decode(fromBase64Url(cursor)));
    if (Array.isArray(place) && place.length === 2 && place.every((part) => typeof part === 'string')) {
      return place as [string, string];
    }
  } catch {
    // answered below
  }
  throw strangeCursor();
}

function strangeCursor(): ProblemError {
  return new ProblemError(
    'invalid-request',
    'The cursor is not one that this server gave. Start from the first page.',
  );
}
