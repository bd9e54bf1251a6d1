/** What of JSON Schema an editor reads. */
export interface Schema {
  readonly description?: string;
  readonly title?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

/**
 * The schemas that a place of a document may be under. Of a union those branches count whose literal members (`kind`,
 * `algorithm`) the document has; all of them where it has none.
 */
export function schemasAt(schema: Schema, document: unknown, path: readonly string[]): Schema[] {
  const [name, ...rest] = path;
  const branches = branchesOf(schema, document);
  if (name === undefined) return branches;
  const inner: unknown =
    typeof document === 'object' && document !== null ? Reflect.get(document, name) : undefined;
  return branches.flatMap((branch) => {
    const below = branch.type === 'array' ? branch.items : branch.properties?.[name];
    return below ? schemasAt(below, inner, rest) : [];
  });
}

function branchesOf(schema: Schema, document: unknown): Schema[] {
  if (!schema.anyOf) return [schema];
  const all = schema.anyOf.flatMap((branch) => branchesOf(branch, document));
  const meant = all.filter((branch) => literalsFit(branch, document));
  return meant.length > 0 ? meant : all;
}

function literalsFit({ properties = {} }: Schema, document: unknown): boolean {
  if (typeof document !== 'object' || document === null) return true;
  return Object.entries(properties).every(([name, inner]) => {
    const given: unknown = Reflect.get(document, name);
    const wanted = literalsOf(inner);
    return given === undefined || wanted.length === 0 || wanted.includes(given);
  });
}

/** The values that a schema lists by name. */
function literalsOf(schema: Schema): unknown[] {
  if (schema.anyOf) return schema.anyOf.flatMap(literalsOf);
  if (schema.const !== undefined) return [schema.const];
  return [...(schema.enum ?? [])];
}

export interface Offer {
  readonly label: string;
  /** What is put in place of what was typed. */
  readonly insert: string;
  readonly detail: string;
  readonly needed: boolean;
}

/** Members that an object under these schemas may still have. */
export function membersOffered(schemas: readonly Schema[], known: readonly string[]): Offer[] {
  const offers = new Map<string, Offer>();
  for (const { properties = {}, required = [] } of schemas) {
    for (const [label, inner] of Object.entries(properties)) {
      if (known.includes(label) || offers.has(label)) continue;
      const insert = `${JSON.stringify(label)}: ${valueToBegin(inner)}`;
      offers.set(label, {
        label,
        insert,
        detail: inner.description ?? inner.title ?? '',
        needed: required.includes(label),
      });
    }
  }
  return [...offers.values()];
}

/** Values that a place under these schemas may have by name. */
export function valuesOffered(schemas: readonly Schema[]): Offer[] {
  const values = schemas.flatMap((schema) =>
    schema.type === 'boolean' ? [true, false] : literalsOf(schema),
  );
  return [...new Set(values.map((value) => JSON.stringify(value)))].map((label) => ({
    label,
    insert: label,
    detail: '',
    needed: false,
  }));
}

function valueToBegin(schema: Schema): string {
  if (schema.default !== undefined) return JSON.stringify(schema.default);
  const [literal] = literalsOf(schema);
  if (literal !== undefined) return JSON.stringify(literal);
  if (schema.type === 'object') return '{}';
  if (schema.type === 'array') return '[]';
  return schema.type === 'string' ? '""' : '';
}
