/** How devices that are ready become groups, and how many of a group a sum needs. */
import { quorumOf } from '@starling/secure';

export interface GroupSizes {
  readonly target: number;
  readonly minimum: number;
}

/** Devices of a group of `size` that must stay to the end: enough to rebuild secrets, and no fewer than the plan wants. */
export function neededOf(size: number, least: number): number {
  return Math.max(least, quorumOf(size));
}

/** The SQL of the least that the plan in this column wants in a sum. */
export function leastOf(plan: string): string {
  return `(${plan} #>> '{secure,groupSize,minimum}')::int`;
}

/** Sizes of the groups to start now, and how many devices are left that no group will take. */
export interface Grouping {
  readonly sizes: readonly number[];
  readonly left: number;
}

/**
 * Groups of `target` as soon as what may follow is enough for another group, or nothing. Else it waits for the last device
 * (`pending`: those that may still become ready), and a remainder below the minimum makes the last group larger: by less
 * than the minimum, so that no group has more than target + minimum - 1. Without pending devices nobody waits any more.
 */
export function groupsOf(ready: number, pending: number, { target, minimum }: GroupSizes): Grouping {
  const sizes: number[] = [];
  let free = ready;
  while (free >= target) {
    const rest = free - target + pending;
    const isEven = rest === 0 || free - target >= minimum;
    if (!isEven && pending > 0) return { sizes, left: 0 }; // one that drops out could leave a remainder
    const size = isEven ? target : free;
    sizes.push(size);
    free -= size;
  }
  if (pending > 0) return { sizes, left: 0 };
  if (free >= minimum) return { sizes: [...sizes, free], left: 0 };
  return { sizes, left: free };
}
