/** A JSON document that a person is writing: it may be anything until the server has looked at it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** The value at a path of members (`cohort.goal`), or `undefined`. */
export function valueAt(json: Json | undefined, path: string): Json | undefined {
  let found = json;
  for (const name of path.split('.')) {
    if (!isObject(found) || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** A copy with another value at a path; `undefined` takes the member away. Objects on the way are made. */
export function withValue(json: Json | undefined, path: string, value: Json | undefined): JsonObject {
  const [name = '', ...rest] = path.split('.');
  const { [name]: before, ...others } = isObject(json) ? json : {};
  const inner = rest.length === 0 ? value : withValue(before, rest.join('.'), value);
  if (inner === undefined) return others;
  // a member that was there keeps its place
  return isObject(json) && before !== undefined ? { ...json, [name]: inner } : { ...others, [name]: inner };
}

/** Every value of a document that holds no other by a name, by its path, in the document's order. */
export function leavesOf(json: Json, path = ''): [string, Json][] {
  if (!isObject(json) || Object.keys(json).length === 0) return [[path, json]];
  return Object.entries(json).flatMap(([name, value]) =>
    leavesOf(value, path === '' ? name : `${path}.${name}`),
  );
}

/** A path of members as a JSON Pointer (RFC 6901). */
export function pointerOf(path: string): string {
  return path === '' ? '' : `/${path.split('.').map(escaped).join('/')}`;
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
