import { pointerOf } from './document.ts';

export interface PlacedProblem {
  /** JSON Pointer into the request. */
  readonly pointer: string;
  readonly message: string;
}

/** The problems of a setting of the plan, and of what is below it. */
export function problemsOf(problems: readonly PlacedProblem[], path: string): PlacedProblem[] {
  return problems.filter((problem) => isAtSetting(problem, path));
}

export function isAtSetting({ pointer }: PlacedProblem, path: string): boolean {
  return isAt(pointer, `/plan${pointerOf(path)}`);
}

/** The problems that none of these pointers takes. */
export function problemsBeside(
  problems: readonly PlacedProblem[],
  taken: readonly string[],
): PlacedProblem[] {
  return problems.filter(({ pointer }) => !taken.some((place) => isAt(pointer, place)));
}

function isAt(pointer: string, place: string): boolean {
  return pointer === place || pointer.startsWith(`${place}/`);
}
