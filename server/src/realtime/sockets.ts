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
import type { RateLimits } from '../access/rate-limits.ts';
import { credentialOf, identify, limited, sessionOf, type Credential } from '../api/credentials.ts';
import { addressOf, refuseForeign, type Site } from '../api/site.ts';
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

/** Connections of one API key or person to the events, at each node. */
const socketsPerCaller = 16;

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
    this.live(projectId, { kind: 'arrivals', roundId });
  });
  #server: Server | undefined;
  /** Other nodes hear what is sent to them. */
  #isOneOfSeveral = false;
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
    this.#isOneOfSeveral = options.adapter !== undefined;
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

  /** Who watches hears of it, at whichever node. */
  live(projectId: ProjectId, event: LiveEvent): void {
    this.#tell(projectId, event);
    this.#sayElsewhere('live', projectId, event);
  }

  /** Ends the live connections of an API key, a person, or a session (by its hash), at whichever node. */
  endWatching(whose: string): void {
    this.#end(whose);
    this.#sayElsewhere('end', whose);
  }

  #tell(projectId: ProjectId, event: LiveEvent): void {
    if (event.kind === 'arrivals') this.#feed.hint(projectId, event);
    else this.#feed.publish(projectId, event);
    this.#server?.of('/admin').local.to(projectId).emit('event', event);
  }

  #end(whose: string): void {
    this.#server?.of('/admin').local.in(whose).disconnectSockets(true);
    this.#feed.end(whose);
  }

  #sayElsewhere(kind: 'live' | 'end', ...content: readonly unknown[]): void {
    if (this.#isOneOfSeveral) this.#server?.of('/admin').serverSideEmit(kind, ...content);
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
            next(refusal(tooManySockets('device', socketsPerDevice)));
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
      // Who was revoked after it was looked up and before it could be told is told now.
      sessions.identify(tokenOf(socket)).catch(() => socket.disconnect(true));
      if (presence.connect(deviceId, projectId))
        this.live(projectId, { kind: 'device', deviceId, change: 'online' });
      socket.on('disconnect', () => {
        if (presence.disconnect(deviceId))
          this.live(projectId, { kind: 'device', deviceId, change: 'offline' });
      });
      socket.on('control', (message: unknown, acknowledge: unknown) => {
        if (typeof acknowledge !== 'function') return;
        const reply = acknowledge as (answer: object) => void; // socket.io hands a function where an ack is wanted
        answerControl(services, identity, message).then(
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

  #serveAdmins(server: Server, { coordinator, limits, site }: SocketServices): void {
    const namespace = server.of('/admin');
    const { database } = coordinator.context;
    namespace.on('live', (projectId: ProjectId, event: LiveEvent) => {
      this.#tell(projectId, event);
    });
    namespace.on('end', (whose: string) => {
      this.#end(whose);
    });
    const projects = new WeakMap<Socket, ProjectId>();
    const admit = async (socket: Socket): Promise<void> => {
      const { headers, address } = socket.handshake;
      const credential = credentialOfSocket(site, socket);
      // A page of any origin may open a socket, and the browser would send the cookie along.
      if (credential?.kind === 'session') refuseForeign(site, headers);
      const { actor, projectId } = await limited(addressOf(site, headers, address), credential, limits, () =>
        identify(database, credential, { isUse: false }),
      );
      if ((namespace.adapter.rooms.get(actor)?.size ?? 0) >= socketsPerCaller) {
        throw tooManySockets('caller', socketsPerCaller);
      }
      projects.set(socket, projectId);
      void socket.join([projectId, actor, ...(credential ? sessionOf(credential) : [])]);
    };
    namespace.use((socket, next) => {
      admit(socket).then(
        () => {
          next();
        },
        (error: unknown) => {
          next(refusal(error));
        },
      );
    });
    namespace.on('connection', (socket) => {
      const check = setInterval(() => {
        // In the project whose events it gets, also where its session has moved on to another.
        const wanted = projects.get(socket);
        identify(database, credentialOfSocket(site, socket), { wanted, isUse: false }).catch(() =>
          socket.disconnect(true),
        );
      }, credentialCheckMs);
      socket.on('disconnect', () => {
        clearInterval(check);
      });
    });
  }
}

async function answerControl(
  { coordinator, limits }: SocketServices,
  device: DeviceIdentity,
  message: unknown,
): Promise<Assignment> {
  limits.device.take(device.deviceId); // as if it had come over HTTP
  if (!controlMessage.Check(message)) {
    throw new ProblemError(
      'invalid-request',
      'A control message is {assignmentId, message: {action, …}} (docs/wire.md).',
    );
  }
  return coordinator.control(device, message.assignmentId, message.message);
}

function tooManySockets(whose: string, most: number): ProblemError {
  return new ProblemError('rate-limited', `This ${whose} has ${most} connections already. Close one.`, {
    retryAfterMs: 30_000,
  });
}

function credentialOfSocket(site: Site, socket: Socket): Credential | undefined {
  const token = tokenOf(socket);
  return token === undefined ? credentialOf(site, socket.handshake.headers) : { kind: 'key', secret: token };
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
