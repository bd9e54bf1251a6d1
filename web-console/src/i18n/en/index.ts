import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const en = { shell, states, tasks } as const;
