import type { Host } from '../../core/ports.ts';

/** `navigator.locks` is there in secure contexts only (https, localhost). */
interface MaybeLocks {
  readonly locks?: LockManager;
}

/**
 * Lets one tab of several take part: the others wait until it closes or stops (Web Locks). Without Web Locks every tab
 * takes part for itself.
 */
export function oneTab(name: string): Host['exclusively'] {
  return async (work, signal) => {
    const { locks } = navigator as MaybeLocks;
    if (!locks) return work();
    const turn = { came: false };
    try {
      await locks.request(`${name}-takes-part`, { signal }, () => {
        turn.came = true;
        return work();
      });
    } catch (error) {
      if (turn.came || !signal.aborted) throw error; // else: stopped while it waited
    }
  };
}
