/** Groups brought to a point at which one member, or the server, may begin to lie. */
import type { ClientMessage } from '../protocol/client-machine.ts';
import { lastMessages } from '../protocol/client-machine.ts';
import type { ClientState } from '../protocol/client-state.ts';
import { pendingMessages, stepServer } from '../protocol/server-machine.ts';
import type { ServerState } from '../protocol/server-state.ts';
import { eventOf, phase, reach, start, type Cast, type Moment } from './group.ts';
import { refusalOf } from './refusals.ts';

/** A group whose graph is drawn, small enough to run often. */
export const sparse = {
  size: 66,
  terms: { corruptPermille: 20, dropOutPermille: 20, privacyBits: 4, correctnessBits: 4 },
};

/** What the server would say next to device `number`, who is in `moment`. */
export function nextFor(cast: Cast, { server }: Moment, number = 0): Uint8Array {
  return pendingMessages(server, cast.devices[number]!.name)[0]!.bytes;
}

/** The group stands before device 0 hears the message with which the server enters `wanted`; the message. */
export async function before(
  cast: Cast,
  wanted: ServerState['phase'],
): Promise<{ moment: Moment; state: ClientState; bytes: Uint8Array }> {
  let moment = await start(cast);
  for (;;) {
    const after = await phase(cast, moment, moment.alive);
    if (after.server.phase === wanted) {
      // The server is ahead: what it says now has reached nobody.
      const ahead = { ...after, clients: moment.clients };
      return { moment: ahead, state: moment.clients[0]!, bytes: nextFor(cast, ahead) };
    }
    moment = after;
  }
}

/** A group in which everyone's answers to `wanted` are ready, and none has arrived. */
export async function at(cast: Cast, wanted: ServerState['phase']) {
  const { server, clients } = await reach(cast, wanted);
  const says = (number: number): ClientMessage => lastMessages(clients[number]!)[0]!;
  const hears = (number: number, change: Partial<ClientMessage> = {}, state = server) =>
    refusalOf(() =>
      stepServer(state, eventOf(cast.devices[number]!, { ...says(number), ...change }), cast.server),
    );
  const after = async (...numbers: number[]): Promise<ServerState> => {
    let state: ServerState = server;
    for (const number of numbers) {
      ({ state } = await stepServer(state, eventOf(cast.devices[number]!, says(number)), cast.server));
    }
    return state;
  };
  return { server, clients, says, hears, after };
}
