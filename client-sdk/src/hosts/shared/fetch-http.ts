import { DeviceError } from '../../core/errors.ts';
import type { Http } from '../../core/ports.ts';

/** After so long a request counts as lost: a part of 1 MiB takes 84 s at 100 kbit/s. */
const patienceMs = 120_000;

/** HTTP by the platform's fetch, without cookies: a device is known by its token. */
export const fetchHttp: Http = async ({ method, url, headers, body, signal }) => {
  const patience = AbortSignal.timeout(patienceMs);
  try {
    const answer = await fetch(url, {
      method,
      headers,
      body: (body as Uint8Array<ArrayBuffer> | undefined) ?? null, // the SDK shares no memory between threads
      credentials: 'omit',
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { status: answer.status, header: (name) => answer.headers.get(name) ?? undefined, body: bytes };
  } catch (error) {
    throw new DeviceError(
      'offline',
      `No answer from ${new URL(url).origin}. The device tries again by itself; is the address right, and the server up?`,
      { cause: error },
    );
  }
};
