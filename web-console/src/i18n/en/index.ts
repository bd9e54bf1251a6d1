import { devices } from './devices.ts';
import { fleet } from './fleet.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const en = { devices, fleet, shell, states, tasks } as const;
