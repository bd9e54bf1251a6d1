import { access, audit } from './access.ts';
import { devices } from './devices.ts';
import { fleet } from './fleet.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { rounds } from './rounds.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { tasks } from './tasks.ts';

export const en = { access, audit, devices, fleet, jobs, models, rounds, shell, states, tasks } as const;
