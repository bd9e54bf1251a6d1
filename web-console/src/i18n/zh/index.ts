import type { Messages } from '../index.tsx';
import { access, audit } from './access.ts';
import { create } from './create.ts';
import { devices } from './devices.ts';
import { fleet } from './fleet.ts';
import { jobs } from './jobs.ts';
import { models } from './models.ts';
import { operations } from './operations.ts';
import { plan } from './plan.ts';
import { rounds } from './rounds.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';
import { task } from './task.ts';
import { tasks } from './tasks.ts';

export const zh: Messages = {
  access,
  audit,
  create,
  devices,
  fleet,
  jobs,
  models,
  operations,
  plan,
  rounds,
  shell,
  states,
  task,
  tasks,
};
