/**
 * Whether a value fits a JSON Schema (draft 2020-12): the keywords that the schema of the IR uses, straight from the
 * specification. A keyword that is missing here throws, so that none is passed over.
 */
export function fits(schema: unknown, value: unknown): boolean {
  return satisfies(schema as Schema, value, schema as Schema);
}

type Schema = Readonly<Record<string, unknown>>;
type Json = Readonly<Record<string, unknown>>;
type Keyword = (wanted: never, value: unknown, root: Schema, schema: Schema) => boolean;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const ofNumber = (check: (value: number, bound: number) => boolean) => (bound: number, value: unknown) =>
  typeof value !== 'number' || check(value, bound);
const ofList =
  (check: (list: readonly unknown[], bound: number) => boolean) => (bound: number, value: unknown) =>
    !Array.isArray(value) || check(value, bound);
const nothing = () => true;

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: (value) => Array.isArray(value),
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
};

const keywords: Readonly<Record<string, Keyword>> = {
  $schema: nothing,
  $id: nothing,
  $defs: nothing,
  title: nothing,
  description: nothing,
  type: (type: string, value) => types[type](value),
  const: (wanted: unknown, value) => same(wanted, value),
  enum: (wanted: readonly unknown[], value) => wanted.some((one) => same(one, value)),
  minimum: ofNumber((value, bound) => value >= bound),
  maximum: ofNumber((value, bound) => value <= bound),
  exclusiveMinimum: ofNumber((value, bound) => value > bound),
  exclusiveMaximum: ofNumber((value, bound) => value < bound),
  maxLength: (most: number, value) => typeof value !== 'string' || value.length <= most,
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minItems: ofList((list, least) => list.length >= least),
  maxItems: ofList((list, most) => list.length <= most),
  uniqueItems: (wanted: boolean, value) =>
    !wanted ||
    !Array.isArray(value) ||
    new Set(value.map((item) => JSON.stringify(item))).size === value.length,
  prefixItems: (prefix: readonly Schema[], value, root) =>
    !Array.isArray(value) ||
    prefix.every((schema, i) => i >= value.length || satisfies(schema, value[i], root)),
  items: (items: Schema, value, root, { prefixItems = [] }) =>
    !Array.isArray(value) ||
    value.slice((prefixItems as unknown[]).length).every((item) => satisfies(items, item, root)),
  properties: (properties: Readonly<Record<string, Schema>>, value, root) =>
    !isObject(value) ||
    Object.entries(properties).every(
      ([key, schema]) => !Object.hasOwn(value, key) || satisfies(schema, value[key], root),
    ),
  required: (keys: readonly string[], value) =>
    !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
  additionalProperties: (allowed: boolean, value, _, { properties = {} }) =>
    allowed ||
    !isObject(value) ||
    Object.keys(value).every((key) => Object.hasOwn(properties as object, key)),
  allOf: (all: readonly Schema[], value, root) => all.every((schema) => satisfies(schema, value, root)),
  anyOf: (any: readonly Schema[], value, root) => any.some((schema) => satisfies(schema, value, root)),
  oneOf: (one: readonly Schema[], value, root) =>
    one.filter((schema) => satisfies(schema, value, root)).length === 1,
  not: (schema: Schema, value, root) => !satisfies(schema, value, root),
  if: (condition: Schema, value, root, { then = {} }) =>
    !satisfies(condition, value, root) || satisfies(then as Schema, value, root),
  then: nothing,
  $ref: (pointer: string, value, root) => satisfies(resolve(pointer, root), value, root),
};

function satisfies(schema: Schema, value: unknown, root: Schema): boolean {
  return Object.entries(schema).every(([key, wanted]) => {
    if (!Object.hasOwn(keywords, key)) throw new Error(`The keyword "${key}" is not known to this check.`);
    return keywords[key](wanted as never, value, root, schema);
  });
}

/** `#/a/b` (RFC 6901; no name in the schema needs an escape). */
function resolve(pointer: string, root: Schema): Schema {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Schema>((schema, key) => schema[key] as Schema, root);
}
