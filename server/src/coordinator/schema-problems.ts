import type { ErrorObject } from 'ajv';

/**
 * What a schema check found, a line for each fault. Where a value fits no branch of a union, the branch counts whose
 * literal members (`algorithm`, `kind`) it has: what is wrong inside that one, instead of everything that the others
 * would have wanted.
 */
export function describeFailures(errors: readonly ErrorObject[]): { pointer: string; message: string }[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf');
  const hidden = new Set<ErrorObject>();
  for (const union of unions) {
    const branches = new Map<string, ErrorObject[]>();
    for (const error of errors) {
      if (!error.schemaPath.startsWith(`${union.schemaPath}/`)) continue;
      const [branch = ''] = error.schemaPath.slice(union.schemaPath.length + 1).split('/');
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const meant = [...branches].filter(([, inside]) => !inside.some((error) => isLiteral(error, union)));
    const [only] = meant;
    for (const [branch, inside] of branches) {
      if (meant.length === 1 && branch === only?.[0]) continue;
      for (const error of inside) hidden.add(error);
    }
    if (meant.length === 1) hidden.add(union);
  }
  return errors.filter((error) => !hidden.has(error)).map(describe);
}

/** Whether the error says that the union's value itself, or a member of it, is another literal, or lacks one. */
function isLiteral(error: ErrorObject, union: ErrorObject): boolean {
  const depth = error.instancePath.slice(union.instancePath.length).split('/').length - 1;
  if (error.keyword === 'const' || error.keyword === 'enum') return depth <= 1;
  return error.keyword === 'type' && depth === 0;
}

function describe({ instancePath, keyword, params, message, parentSchema }: ErrorObject) {
  const given = params as Record<string, unknown>;
  switch (keyword) {
    case 'additionalProperties':
      return {
        pointer: `${instancePath}/${escape(String(given['additionalProperty']))}`,
        message: 'is not known here',
      };
    case 'required':
      return {
        pointer: `${instancePath}/${escape(String(given['missingProperty']))}`,
        message: 'is missing',
      };
    case 'anyOf': {
      const branches = (parentSchema as { anyOf?: { title?: string; const?: unknown }[] }).anyOf ?? [];
      const names = branches.flatMap(
        ({ title, const: literal }) => title ?? (literal as string | undefined) ?? [],
      );
      const which = names.length === branches.length ? `: ${names.join(', ')}` : '';
      return { pointer: instancePath, message: `must be one of ${branches.length} kinds${which}` };
    }
    case 'enum':
      return {
        pointer: instancePath,
        message: `must be one of ${(given['allowedValues'] as unknown[]).map(String).join(', ')}`,
      };
    default:
      return { pointer: instancePath, message: message ?? 'is invalid' };
  }
}

/** A member's name inside a JSON Pointer (RFC 6901, section 3). */
function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
