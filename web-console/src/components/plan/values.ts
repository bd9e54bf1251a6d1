/** Numbers in a list as a person writes it: `0.2, 0.5`. What is none is kept as text, for the check to name it. */
export function numbersIn(text: string): (number | string)[] {
  return partsOf(text).map((part) => (Number.isFinite(Number(part)) ? Number(part) : part));
}

/** Labels as a person writes them: `split=train, platform=web`; a part without `=` has an empty value. */
export function labelsIn(text: string): Record<string, string> {
  return Object.fromEntries(
    partsOf(text).map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? [part, ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    }),
  );
}

export function labelsAsText(labels: unknown): string {
  if (typeof labels !== 'object' || labels === null) return '';
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
}

function partsOf(text: string): string[] {
  return text
    .split(/[,;，；\s]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
