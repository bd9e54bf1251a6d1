import type { Messages } from '../index.tsx';
import { fleet } from './fleet.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const zh: Messages = { fleet, shell, states, tasks };
