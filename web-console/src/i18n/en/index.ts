import { fleet } from './fleet.ts';
import type { later } from './later.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';

/** Words that are there from the start; those of other pages come with them (later.ts). */
export const en = { fleet, shell, states } as const;
export type English = typeof en & typeof later;
