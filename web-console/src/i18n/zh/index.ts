import type { Messages } from '../index.tsx';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const zh: Messages = { shell, states, tasks };
