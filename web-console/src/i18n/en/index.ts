import { create } from './create.ts';
import { fleet } from './fleet.ts';
import { plan } from './plan.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { task } from './task.ts';
import { tasks } from './tasks.ts';

export const en = { create, fleet, plan, shell, states, task, tasks } as const;
