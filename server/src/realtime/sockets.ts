import type { Server as HttpServer } from 'node:http';
import {
  ProblemError,
  type Assignment,
  type DeviceId,
  type GroupId,
  type LiveEvent,
  type ProjectId,
  type RoundId,
} from '@starling/protocol';
import { SocketControl } from '@starling/protocol/schemas';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import { Compile } from 'typebox/compile';
import { toProblemError } from '../api/errors.ts';
import type { Actor, CallerIdentity } from '../access/caller.ts';
import type { RateLimits } from '../access/rate-limits.ts';
import { credentialOf, identify } from '../api/credentials.ts';
import { refuseForeign, type Site } from '../api/site.ts';
import type { Announcements } from '../coordinator/context.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import type { Letter, NodeLine } from '../coordinator/group-post.ts';
import { returnWindow } from '../coordinator/steering.ts';
import type { DeviceIdentity, Sessions } from '../devices/sessions.ts';
import { ArrivalHints } from './arrival-hints.ts';
import type { Feed } from './feed.ts';

/** Control messages are small: anything larger than this closes the connection, so bulk cannot sneak in. */
const maxMessageBytes = 128 * 1024;

/** How often the credential of who watches is checked again: it may have expired. */
const credentialCheckMs = 60_000;

/** How long a connection may take to say whose it is. */
const signInMs = 10_000;

/** Connections of one device at a time: one, and those that it lost without the server knowing yet. */
const socketsPerDevice = 8;

const controlMessage = Compile(SocketControl);

interface SocketServices {
  coordinator: Coordinator;
  sessions: Sessions;
  limits: RateLimits;
  site: Site;
}

/**
 * The live channel (socket.io): namespace `/device` carries offers and control messages, `/admin` the live events
 * of a project. What it carries is a hint; the database is the truth and REST reads it.
 */
export class Sockets implements Announcements, NodeLine {
  readonly #feed: Feed;
  readonly #arrivals = new ArrivalHints((projectId, roundId) => {
    const event: LiveEvent = { kind: 'arrivals', roundId };
    this.#feed.hint(projectId, event);
    this.#server?.of('/admin').to(projectId).emit('event', event);
  });
  #server: Server | undefined;
  #connected = () => 0;

  /** Live events go to the sockets of people and to `feed`. */
  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Starts serving on an HTTP server that may not listen yet. */
  attach(
    http: HttpServer,
    services: SocketServices,
    options: { corsOrigin: string | string[]; adapter?: ServerOptions['adapter'] },
  ): void {
    const server = new Server(http, {
      transports: ['websocket'],
      perMessageDeflate: false,
      connectTimeout: signInMs,
      maxHttpBufferSize: maxMessageBytes,
      serveClient: false,
      cors: { origin: options.corsOrigin },
      ...(options.adapter && { adapter: options.adapter }),
    });
    this.#server = server;
    this.#serveDevices(server, services);
    this.#serveAdmins(server, services);
  }

  assignment(deviceId: DeviceId, assignment: Assignment): void {
    this.#server?.of('/device').to(deviceId).emit('assignment', assignment);
  }

  group(deviceId: DeviceId, groupId: GroupId): void {
    this.#server?.of('/device').to(deviceId).emit('group', { groupId });
  }

  send(toNode: string, letter: Letter): void {
    this.#server?.of('/device').serverSideEmit('letter', toNode, letter);
  }

  live(projectId: ProjectId, event: LiveEvent): void {
    this.#feed.publish(projectId, event);
    this.#server?.of('/admin').to(projectId).emit('event', event);
  }

  /** Ends the live connections of an API key or a person. */
  endActor(actor: Actor): void {
    this.#server?.of('/admin').in(actor).disconnectSockets(true);
    this.#feed.end(actor);
  }

  arrived(projectId: ProjectId, roundId: RoundId): void {
    this.#arrivals.note(projectId, roundId);
  }

  revoked(deviceId: DeviceId): void {
    this.#server?.of('/device').in(deviceId).disconnectSockets(true);
  }

  /** Tells the devices of this node when to come back, each at a moment of its own, and ends all connections. */
  async close(): Promise<void> {
    this.#arrivals.end();
    this.#server?.of('/device').local.emit('leaving', returnWindow(this.#connected()));
    await this.#server?.close();
  }

  #serveDevices(server: Server, services: SocketServices): void {
    const { coordinator, sessions } = services;
    const { presence, log, nodes, post } = coordinator.context;
    const namespace = server.of('/device');
    namespace.on('letter', (toNode: string, letter: Letter) => {
      if (toNode === nodes.id) post.receive(letter);
    });
    this.#connected = () => presence.count().socket;
    const identities = new WeakMap<Socket, DeviceIdentity>();
    namespace.use((socket, next) => {
      sessions.identify(tokenOf(socket)).then(
        (identity) => {
          if (presence.sockets(identity.deviceId) >= socketsPerDevice) {
            next(refusal(tooManySockets()));
            return;
          }
          identities.set(socket, identity);
          next();
        },
        (error: unknown) => {
          next(refusal(error));
        },
      );
    });
    namespace.on('connection', (socket) => {
      const identity = identities.get(socket);
      if (!identity) return;
      const { deviceId, projectId } = identity;
      if (presence.sockets(deviceId) >= socketsPerDevice) {
        socket.disconnect(true); // several came in while each was looked up
        return;
      }
      void socket.join(deviceId);
      if (presence.connect(deviceId, projectId))
        this.live(projectId, { kind: 'device', deviceId, change: 'online' });
      socket.on('disconnect', () => {
        if (presence.disconnect(deviceId))
          this.live(projectId, { kind: 'device', deviceId, change: 'offline' });
      });
      socket.on('control', (message: unknown, acknowledge: unknown) => {
        if (typeof acknowledge !== 'function') return;
        const reply = acknowledge as (answer: object) => void; // socket.io hands a function where an ack is wanted
        answerControl(services, deviceId, message).then(
          (assignment) => {
            reply({ assignment });
          },
          (error: unknown) => {
            const problem = toProblemError(error);
            if (problem.status >= 500) log.error({ error, deviceId }, 'a control message failed');
            reply({ problem: problem.toProblem() });
          },
        );
      });
      coordinator.deviceOnline(projectId).catch((error: unknown) => {
        log.error({ error, deviceId }, 'offering work to a device failed');
      });
    });
  }

  #serveAdmins(server: Server, services: { coordinator: Coordinator; site: Site }): void {
    const namespace = server.of('/admin');
    const { database } = services.coordinator.context;
    const watcher = async (socket: Socket): Promise<CallerIdentity> => {
      const token = tokenOf(socket);
      const credential =
        token === undefined
          ? credentialOf(services.site, socket.handshake.headers)
          : ({ kind: 'key', secret: token } as const);
      // A page of any origin may open a socket, and the browser would send the cookie along.
      if (credential?.kind === 'session') refuseForeign(services.site, socket.handshake.headers);
      return identify(database, credential, { isUse: false });
    };
    namespace.use((socket, next) => {
      watcher(socket).then(
        ({ actor, projectId }) => {
          void socket.join([projectId, actor]);
          next();
        },
        (error: unknown) => {
          next(refusal(error));
        },
      );
    });
    namespace.on('connection', (socket) => {
      const check = setInterval(() => {
        watcher(socket).catch(() => socket.disconnect(true));
      }, credentialCheckMs);
      socket.on('disconnect', () => {
        clearInterval(check);
      });
    });
  }
}

async function answerControl(
  { coordinator, limits }: SocketServices,
  deviceId: DeviceId,
  message: unknown,
): Promise<Assignment> {
  limits.device.take(deviceId); // as if it had come over HTTP
  if (!controlMessage.Check(message)) {
    throw new ProblemError(
      'invalid-request',
      'A control message is {assignmentId, message: {action, …}} (docs/wire.md).',
    );
  }
  return coordinator.control(deviceId, message.assignmentId, message.message);
}

function tooManySockets(): ProblemError {
  return new ProblemError(
    'rate-limited',
    `This device has ${socketsPerDevice} connections already. Close one.`,
    { retryAfterMs: 30_000 },
  );
}

function tokenOf(socket: Socket): string | undefined {
  const auth: unknown = socket.handshake.auth;
  if (typeof auth !== 'object' || auth === null || !('token' in auth)) return undefined;
  return typeof auth.token === 'string' ? auth.token : undefined;
}

/** socket.io hands `data` of a middleware's error to the client's connect_error. */
function refusal(error: unknown): Error {
  const problem = toProblemError(error);
  return Object.assign(new Error(problem.message), { data: { problem: problem.toProblem() } });
}
