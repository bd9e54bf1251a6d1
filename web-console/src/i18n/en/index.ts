import { fleet } from './fleet.ts';
import { models } from './models.ts';
import { rounds } from './rounds.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const en = { fleet, models, rounds, shell, states, tasks } as const;
