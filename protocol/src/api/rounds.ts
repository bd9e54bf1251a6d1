import { Type, type Static } from 'typebox';
import { ids, Round, RoundDetail } from '../schemas/resources.ts';
import { closed, Nullable, OneOf, PageOf, PageQuery } from './common.ts';
import type { Endpoint } from './endpoint.ts';

/** Stations that an assignment passes, in order. */
export const stations = ['selected', 'accepted', 'training', 'ready', 'uploaded', 'counted'] as const;
export type Station = (typeof stations)[number];

/** Spans between stations, and from the offer to the recorded update. */
export const spans = ['answering', 'fetching', 'training', 'handingIn', 'all'] as const;
export type Span = (typeof spans)[number];

const Milliseconds = Nullable(Type.Number());

export const RoundAnatomy = Type.Object({
  round: Round,
  funnel: Type.Array(
    Type.Object({
      station: OneOf(stations),
      reached: Type.Integer({ description: 'Assignments that came so far, dropped ones included.' }),
      dropped: Type.Record(Type.String(), Type.Integer(), {
        description: 'Those that came no further, by the reason of their drop.',
      }),
    }),
  ),
  spans: Type.Array(
    Type.Object({
      span: OneOf(spans),
      count: Type.Integer(),
      p50Ms: Milliseconds,
      p95Ms: Milliseconds,
      p99Ms: Milliseconds,
    }),
    { description: 'Of the assignments that passed each span, by database time.' },
  ),
  remainingMs: Type.Object(
    { ready: Nullable(Type.Integer()), round: Nullable(Type.Integer()) },
    {
      description: 'Time left to be ready, and until the window of the phase closes; `null` when it is over.',
    },
  ),
  atWork: Type.Record(Type.String(), Type.Integer(), {
    description: 'Assignments under way, by state.',
  }),
  target: Type.Integer({ description: 'Devices that are asked: the goal, times the over-selection.' }),
  previous: Nullable(ids.round),
  next: Type.Unsafe<Static<typeof ids.round> | null>({
    ...Nullable(ids.round),
    description: 'The rounds of the task before and after it; `null` where there is none.',
  }),
});
export type RoundAnatomy = Static<typeof RoundAnatomy>;

/** Stations that devices reach one by one. Counted they all are at once, when the round is published. */
export const arrivalStations = ['selected', 'accepted', 'training', 'ready', 'uploaded'] as const;
export type ArrivalStation = (typeof arrivalStations)[number];

/** Most arrivals at a station that are told one by one. */
export const mostArrivals = 2000;

const Offset = (description: string) => Nullable(Type.Integer({ description }));

export const RoundArrivals = Type.Object({
  nowMs: Type.Integer({
    description: 'Milliseconds from the opening of the round to its end, or to now while it is under way.',
  }),
  trainingMs: Offset('When it began to train; `null` if it did not.'),
  aggregatingMs: Offset('When its first group started; `null` if none did.'),
  stations: Type.Array(
    Type.Object({
      station: OneOf(arrivalStations),
      count: Type.Integer({ description: 'Devices that arrived.' }),
      every: Type.Integer({ description: 'Of the arrivals, each so many-th is listed, and the last one.' }),
      offsetsMs: Type.Array(Type.Integer(), {
        description: `Milliseconds since the round opened, rising; at most ${mostArrivals}.`,
      }),
    }),
  ),
});
export type RoundArrivals = Static<typeof RoundArrivals>;

export const roundEndpoints = {
  listRounds: {
    method: 'GET',
    path: '/v1/tasks/:id/rounds',
    tag: 'rounds',
    summary: 'List the rounds of a task, newest first',
    description: 'Each published round carries its metrics: this is the learning curve.',
    role: 'viewer',
    params: { id: ids.task },
    query: PageQuery,
    answer: PageOf(Round),
  },
  getRound: {
    method: 'GET',
    path: '/v1/rounds/:id',
    tag: 'rounds',
    summary: 'Read a round with its funnel',
    role: 'viewer',
    params: { id: ids.round },
    answer: RoundDetail,
  },
  getAnatomy: {
    method: 'GET',
    path: '/v1/rounds/:id/anatomy',
    tag: 'rounds',
    summary: 'Read where a round lost devices and time',
    role: 'viewer',
    params: { id: ids.round },
    answer: RoundAnatomy,
  },
  getArrivals: {
    method: 'GET',
    path: '/v1/rounds/:id/arrivals',
    tag: 'rounds',
    summary: 'Read when devices reached the stations of a round',
    description: 'Times without names: which device came when is not told.',
    role: 'viewer',
    params: { id: ids.round },
    answer: RoundArrivals,
  },
  extendRound: {
    method: 'POST',
    path: '/v1/rounds/:id/extend',
    tag: 'rounds',
    summary: 'Give the phase under way more time',
    role: 'operator',
    params: { id: ids.round },
    body: Type.Object({ byMs: Type.Integer({ minimum: 1000, maximum: 7 * 86_400_000 }) }, closed),
    example: { byMs: 60_000 },
    answer: RoundDetail,
  },
  closeRound: {
    method: 'POST',
    path: '/v1/rounds/:id/close',
    tag: 'rounds',
    summary: 'Go on now with what arrived',
    description:
      'While it selects: train with those that accepted. Later: publish the sum of the updates received. Refused below the minimum of the round.',
    role: 'operator',
    params: { id: ids.round },
    answer: RoundDetail,
  },
  abortRound: {
    method: 'POST',
    path: '/v1/rounds/:id/abort',
    tag: 'rounds',
    summary: 'Abandon a round',
    description: 'Nothing of it is published. A running task opens its next round: pause it first to stop.',
    role: 'operator',
    params: { id: ids.round },
    answer: RoundDetail,
  },
} as const satisfies Record<string, Endpoint>;
