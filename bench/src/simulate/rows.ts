import { linesOf } from '../lines.ts';

export const { row, verdict } = linesOf('simulate');
