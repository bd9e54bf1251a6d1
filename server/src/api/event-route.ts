import { PassThrough } from 'node:stream';
import { ProblemError } from '@starling/protocol';
import { eventEndpoints, type StreamedEvent } from '@starling/protocol/api';
import { credentialOf, identify, sessionOf } from './credentials.ts';
import { callerOf, type Api, type ApiServices } from './http.ts';
import { fileResponses } from './openapi.ts';
import { describeRoute } from './serve.ts';

/** A comment goes out so often, so that nothing in between takes the stream for dead; the caller is checked again then. */
const heartbeatMs = 15_000;
/** A follower that does not read loses its connection at so many unsent bytes; it may come back with its last id. */
const maxUnsentBytes = 1 << 20;
const streamsPerCaller = 16;

/** `GET /v1/events`: the live events of the project as server-sent events (HTML Standard, section 9.2). */
export function addEventRoute(api: Api, { coordinator, feed, site }: ApiServices): void {
  const { database } = coordinator.context;
  const { schema, config } = describeRoute('streamEvents', eventEndpoints.streamEvents);
  api.get<{ Querystring: { lastEventId?: string } }>(
    eventEndpoints.streamEvents.path,
    {
      schema: { ...schema, response: fileResponses('text/event-stream', 'Events, without end.') },
      config,
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const { actor, projectId } = callerOf(request);
      const credential = credentialOf(site, request.headers);
      const [session] = credential ? sessionOf(credential) : [];
      if (feed.countOf(projectId, actor) >= streamsPerCaller) {
        throw new ProblemError(
          'rate-limited',
          `This caller follows ${streamsPerCaller} streams already. Close one.`,
          { retryAfterMs: heartbeatMs },
        );
      }
      const stream = new PassThrough();
      const end = () => {
        stream.end();
      };
      const hear = (event: StreamedEvent) => {
        if (!stream.writable) return;
        stream.write(written(event));
        if (stream.readableLength + stream.writableLength > maxUnsentBytes) stream.destroy();
      };
      stream.write(': these are the live events of the project\n\n');
      const header = request.headers['last-event-id'];
      const after = typeof header === 'string' ? header : request.query.lastEventId;
      const stop = feed.follow(projectId, { actor, session, hear, end }, after);
      const heartbeat = setInterval(() => {
        identify(database, credential, { wanted: projectId, isUse: false }).then(
          () => stream.write(': still here\n\n'),
          end,
        );
      }, heartbeatMs);
      stream.once('close', () => {
        clearInterval(heartbeat);
        stop();
      });
      return reply.type('text/event-stream').header('cache-control', 'no-store').send(stream);
    },
  );
}

function written(event: StreamedEvent): string {
  const data = event.kind === 'gap' ? event.reason : event.event;
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
