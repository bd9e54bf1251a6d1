/** Labels written as lines of `name=value`; `undefined` where a line is none. Empty lines do not count. */
export function labelsIn(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, at).trim();
    if (at === -1 || name === '') return undefined;
    labels[name] = line.slice(at + 1).trim();
  }
  return labels;
}
