import type { Conditions } from '../../core/ports.ts';

/** Parts of `navigator` that some browsers have. */
interface Probes {
  getBattery?: () => Promise<{ readonly charging: boolean; readonly level: number }>;
  readonly connection?: { readonly saveData?: boolean; readonly type?: string };
}

/**
 * What a browser tells of its device; what it does not tell stays unknown. A page that nobody looks at is idle.
 * Chromium on a desktop has a connection without a `type`: it counts as unmetered.
 */
export const browserConditions: Conditions = {
  now: async () => {
    const probes = navigator as Probes;
    const battery = await probes.getBattery?.().catch(() => undefined);
    const { connection } = probes;
    return {
      charging: battery?.charging,
      battery: battery?.level,
      unmetered: connection && connection.saveData !== true && connection.type !== 'cellular',
      idle: document.visibilityState === 'hidden',
    };
  },
};
