/** Everything that can move a cursor, start a colour, reverse the reading order or hide: shown by its code instead. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"\\]/gu;

/**
 * A text of unknown origin (an id, a class name, a path) made safe for a terminal or a log: in double quotes,
 * control and invisible characters as `\u{…}`, cut after 80 characters.
 */
export function quoted(text: string): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, 80).join('');
  const escaped = shown.replace(unsafe, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return characters.length > 80 ? `"${escaped}…"` : `"${escaped}"`;
}

/** Several such texts in one line, the first eight by name and the rest as a count. */
export function quotedList(texts: readonly string[]): string {
  if (texts.length === 0) return 'none';
  const shown = texts.slice(0, 8).map(quoted).join(', ');
  return texts.length > 8 ? `${shown} and ${texts.length - 8} more` : shown;
}
