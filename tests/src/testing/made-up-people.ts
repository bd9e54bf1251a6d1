import { join } from 'node:path';
import { createDevice, type Device, type Examples } from '@starling/client-sdk';
import { nodeHost } from '@starling/client-sdk/node';
import { temporaryDirectory, type TestServer } from './servers.ts';

/**
 * SYNTHETIC rows of one made-up person: of every class in turn, which lie apart in one of the `features` numbers of a row.
 * What is around them differs from person to person. Of a share `muddled` (0 to 1) the class is told wrongly.
 */
export function rowsOf(
  person: number,
  { features = 4, classes = 3, count = 24, muddled = 0 } = {},
): Examples {
  const y = Int32Array.from({ length: count }, (_, row) => {
    const isMuddled = (row * 37) % 100 < 100 * muddled; // 37 and 100 have no divisor in common: spread over the rows
    return (row + (isMuddled ? 1 : 0)) % classes;
  });
  const x = Float32Array.from({ length: count * features }, (_, at) => {
    const row = Math.floor(at / features);
    return (at % features === row % classes ? 2 : 0) + Math.sin(at + person) / 4;
  });
  return { x, y, count };
}

/** Devices of made-up people, in this process. */
export class MadeUpFleet {
  readonly #devices: readonly Device[];
  readonly #forget: () => Promise<void>;

  private constructor(devices: readonly Device[], forget: () => Promise<void>) {
    this.#devices = devices;
    this.#forget = forget;
  }

  /** One device for each function, which gives its rows whenever it is asked. */
  static async started(
    { server, admin }: TestServer,
    people: readonly (() => Promise<Examples>)[],
    labels: Record<string, string> = {},
  ): Promise<MadeUpFleet> {
    const place = await temporaryDirectory();
    const enrolmentToken = await admin.enrolmentToken(labels);
    const devices = people.map((examples, person) =>
      createDevice({
        server: server.url,
        enrolmentToken,
        examples,
        host: nodeHost({ directory: join(place.path, String(person)) }),
      }),
    );
    await Promise.all(devices.map((device) => device.start()));
    return new MadeUpFleet(devices, place.remove);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#devices.map((device) => device.stop()));
    await this.#forget();
  }
}
