/** A device in a process of its own that is to be killed: real SDK, stored state, and the one-hot update of its number. */
import { createDevice } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import type { Assignment } from '@starling/protocol';
import { oneHot } from './one-hot.ts';

export interface MortalOrder {
  readonly kind: 'join';
  readonly server: string;
  readonly enrolmentToken: string;
  readonly directory: string;
  readonly number: number;
}

export type MortalReport =
  | { readonly kind: 'online' }
  | {
      readonly kind: 'assignment';
      readonly id: string;
      readonly roundId: string;
      readonly state: Assignment['state'];
    }
  /** Before a request leaves, or once it was answered; the device waits for `go`, or for its end. */
  | {
      readonly kind: 'request';
      readonly when: 'before' | 'after';
      readonly path: string;
      readonly body: string;
    };

const report = (message: MortalReport) => process.send?.(message);
const waiting: (() => void)[] = [];

async function join({ server, enrolmentToken, directory, number }: MortalOrder): Promise<void> {
  const host = nodeHost({ directory });
  const device = createDevice({
    server,
    enrolmentToken,
    examples: () => Promise.resolve({ x: new Float32Array(20), y: new Int32Array(5), count: 5 }),
    host: {
      ...host,
      http: async (request) => {
        const { pathname: path } = new URL(request.url);
        if (!request.body || !/\/(messages|update)$/.test(path)) return host.http(request);
        const body = Buffer.from(request.body).toString('hex');
        const told = async (when: 'before' | 'after') => {
          const go = new Promise<void>((resolve) => waiting.push(resolve));
          report({ kind: 'request', when, path, body });
          await go;
        };
        await told('before');
        const answer = await host.http(request);
        await told('after');
        return answer;
      },
      trainer: {
        run: (job) => {
          if (job.kind !== 'contribute') throw new TypeError('These devices contribute, and nothing else.');
          return Promise.resolve({ bytes: oneHot(job.assignment, number) });
        },
        close: () => Promise.resolve(),
      },
    },
  });
  device.on('status', (status) => {
    if (status === 'online') report({ kind: 'online' });
  });
  device.on('assignment', ({ id, roundId, state }) => report({ kind: 'assignment', id, roundId, state }));
  await device.start();
}

process.on('message', (message: MortalOrder | 'go') => {
  if (message === 'go') waiting.shift()?.();
  else void join(message);
});
process.on('disconnect', () => process.exit());
