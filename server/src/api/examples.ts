import type { TSchema } from 'typebox';

/** What of a JSON Schema an example follows from. */
interface Described {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  examples?: unknown[];
  anyOf?: Described[];
  allOf?: Described[];
  properties?: Record<string, Described>;
  required?: string[];
  default?: unknown;
  items?: Described;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
}

const instant = '2026-01-31T12:00:00.000Z';

/**
 * An example of what a schema describes: every member that must be there, one item a list. Members that the request names have the
 * value that it gave them; text has the name of its member.
 */
export function exampleAnswer(answer: TSchema, request: unknown): unknown {
  return exampleOf(answer, 'text', isRecord(request) ? request : {});
}

function exampleOf(schema: Described, name: string, given: Record<string, unknown>): unknown {
  const inside = (member: Described, memberName: string) => exampleOf(member, memberName, given);
  if (schema.examples) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const [first] = schema.anyOf ?? [];
  if (first) return inside(first, name);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => inside(part, name))) as unknown;
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([key]) => schema.required?.includes(key))
          .map(([key, member]) => [key, fits(member, given[key]) ? given[key] : inside(member, key)]),
      );
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 1) }, () =>
        inside(schema.items ?? {}, name),
      );
    case 'string':
      return textOf(schema, name);
    case 'integer':
    case 'number':
      return schema.minimum ?? Math.min(1, schema.maximum ?? 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return {};
  }
}

/** Text that matches the patterns in use: an id of a kind, or so many characters of a class. */
function textOf({ pattern, format }: Described, name: string): string {
  if (format === 'date-time') return instant;
  const [, prefix = '', characters = '', length] =
    /^\^(\w+_)?\[([^\]]*)\]\{(\d+)\}\$$/.exec(pattern ?? '') ?? [];
  if (length === undefined) return name;
  return `${prefix}${(characters.includes('A-Z') ? 'A' : 'a').repeat(Number(length))}`;
}

function fits(member: Described, value: unknown): boolean {
  const [first = member] = member.anyOf ?? [];
  if (first.enum) return first.enum.includes(value);
  if (first.pattern !== undefined || first.format !== undefined) return false;
  return first.type === 'string'
    ? typeof value === 'string'
    : first.type === 'integer' && Number.isInteger(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
