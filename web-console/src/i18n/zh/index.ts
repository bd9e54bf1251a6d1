import type { Messages } from '../index.tsx';
import { access, audit } from './access.ts';
import { devices } from './devices.ts';
import { fleet } from './fleet.ts';
import { jobs } from './jobs.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const zh: Messages = { access, audit, devices, fleet, jobs, shell, states, tasks };
