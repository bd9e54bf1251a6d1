import type { Words } from '../index.tsx';
import type { en } from '../en/index.ts';
import { fleet } from './fleet.ts';
import { shell } from './shell.ts';
import { states } from './states.ts';

export const zh: Words<typeof en> = { fleet, shell, states };
