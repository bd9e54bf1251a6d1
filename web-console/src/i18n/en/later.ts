import { create } from './create.ts';
import { plan } from './plan.ts';
import { task } from './task.ts';

/** Words that come with the pages that say them: they are many, and the first page says none of them. */
export const later = { create, plan, task } as const;
