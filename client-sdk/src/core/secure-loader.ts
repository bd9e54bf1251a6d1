import { DeviceError } from './errors.ts';
import type { memberships, Memberships } from './membership.ts';
import type { Host } from './ports.ts';

/** Gives what joins secure groups, loading the code for it when it is first asked. Rejects with DeviceError `secure-not-loaded`. */
export type SecureLoader = () => Promise<Memberships>;

/**
 * SA-1 is a chunk of its own in the browser bundle: a page whose tasks are all clear never loads it. A load that failed is
 * tried again when it is asked for again.
 */
export function secureLoader(
  host: Pick<Host, 'random' | 'subtle'>,
  load: () => Promise<{ memberships: typeof memberships }> = () => import('./membership.ts'),
): SecureLoader {
  let loading: Promise<Memberships> | undefined;
  return () =>
    (loading ??= load().then(
      (loaded) => loaded.memberships(host),
      (cause: unknown) => {
        loading = undefined;
        throw new DeviceError(
          'secure-not-loaded',
          'The part of the SDK that masks updates could not be loaded. Serve all files of the bundle beside starling.js.',
          { cause },
        );
      },
    ));
}
