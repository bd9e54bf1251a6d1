import type { Messages } from '../index.tsx';
import { create } from './create.ts';
import { fleet } from './fleet.ts';
import { plan } from './plan.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { task } from './task.ts';
import { tasks } from './tasks.ts';

export const zh: Messages = { create, fleet, plan, shell, states, task, tasks };
