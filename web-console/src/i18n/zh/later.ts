import type { Words } from '../index.tsx';
import type { later as english } from '../en/later.ts';
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

export const later: Words<typeof english> = {
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
};
