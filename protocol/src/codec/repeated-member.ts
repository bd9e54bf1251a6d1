/**
 * Finds a member name that an object in a JSON text has twice: `JSON.parse` keeps the last one and says nothing
 * (RFC 8259, section 4, leaves it open), so two readers could see different documents in the same bytes.
 *
 * The text must have passed `JSON.parse`; only then is a string before a colon always a name. Returns the first
 * repeated name, after its escapes are read, or undefined.
 */
export function repeatedMember(json: string): string | undefined {
  const names: Set<string>[] = [];
  let at = 0;
  while (at < json.length) {
    const character = json[at];
    if (character === '{') names.push(new Set());
    else if (character === '}') names.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      if (isName(json, end)) {
        const name = JSON.parse(json.slice(at, end)) as string; // a string literal
        const seen = names.at(-1);
        if (seen?.has(name)) return name;
        seen?.add(name);
      }
      at = end;
      continue;
    }
    at += 1;
  }
  return undefined;
}

/** Index after the closing quote of the string that opens at `at`. */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

function isName(json: string, end: number): boolean {
  let next = end;
  while (json[next] === ' ' || json[next] === '\n' || json[next] === '\r' || json[next] === '\t') next += 1;
  return json[next] === ':';
}
