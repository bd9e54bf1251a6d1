import { linesOf } from '../lines.ts';

export const { row, verdict } = linesOf('secure');
export { timesOf, type Line, type Report } from '../lines.ts';
