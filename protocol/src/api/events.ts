import { Type } from 'typebox';
import type { LiveEvent } from '../schemas/resources.ts';
import { closed } from './common.ts';
import type { Endpoint } from './endpoint.ts';

/** What the event stream carries. `gap` says honestly that events in between are lost: read the state anew. */
export type StreamedEvent =
  | { readonly id: string; readonly kind: 'event'; readonly event: LiveEvent }
  | { readonly id: string; readonly kind: 'gap'; readonly reason: GapReason };

/** Why a stream cannot go on where it was: the events are no longer kept, or the server started anew. */
export type GapReason = 'too-old' | 'server-restarted';

export const eventEndpoints = {
  streamEvents: {
    method: 'GET',
    path: '/v1/events',
    tag: 'events',
    summary: 'Follow the live events of the project',
    description:
      'Server-sent events: `event` carries what the socket carries (task, round, version, device). With Last-Event-ID it goes on from there; where that is not possible the first message is a `gap`.',
    role: 'viewer',
    query: Type.Object(
      { lastEventId: Type.Optional(Type.String({ maxLength: 64, description: 'As Last-Event-ID.' })) },
      closed,
    ),
    answer: Type.String({ description: 'text/event-stream' }),
  },
} as const satisfies Record<string, Endpoint>;
