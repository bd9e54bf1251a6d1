import { fleet } from './fleet.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';
import type { later } from './later.ts';

/** Words that are there from the start; those of some pages come with them (later.ts). */
export const en = { fleet, shell, states, tasks } as const;
export type English = typeof en & typeof later;
