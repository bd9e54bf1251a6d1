import { linesOf } from '../lines.ts';

export const { row, verdict } = linesOf('coordinator');
export { timesOf, type Report } from '../lines.ts';
