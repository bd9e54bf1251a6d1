import { access, audit } from './access.ts';
import { create } from './create.ts';
import { devices } from './devices.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { operations } from './operations.ts';
import { plan } from './plan.ts';
import { rounds } from './rounds.ts';
import { task } from './task.ts';
import { tasks } from './tasks.ts';

/** Words that come with the pages that say them: they are many, and the first page says none of them. */
export const later = {
  access,
  audit,
  create,
  devices,
  jobs,
  models,
  operations,
  plan,
  rounds,
  task,
  tasks,
} as const;
