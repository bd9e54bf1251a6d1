/** Lines that are told before every second one is left out, and again so many before half of the rest is. */
const linesBeforeThinning = 1_000;

/**
 * Passes on fewer lines the more there are: the first 1,000, then every second, after 1,000 of those every fourth, and so on. Of a
 * million come about 10,000.
 */
export function thinLines<Line>(say: (line: Line) => void): (line: () => Line) => void {
  let [every, place, said] = [1, 0, 0];
  return (line) => {
    if (place++ % every !== 0) return;
    say(line());
    if (++said % linesBeforeThinning !== 0) return;
    every *= 2;
    place = 0;
  };
}
