import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import cors from '@fastify/cors';
import serveStatic from '@fastify/static';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { ProblemError, type KeyId } from '@starling/protocol';
import { bestMasks, mixedProvider } from '@starling/secure';
import { Ajv } from 'ajv';
import Fastify from 'fastify';
import { createFirstKey } from './access/keys.ts';
import { RateLimits, type RateLimitOptions } from './access/rate-limits.ts';
import { addAdminRoutes } from './api/admin-routes.ts';
import { addBlobRoutes } from './api/blob-routes.ts';
import { addDeviceRoutes, addEnrolmentRoutes } from './api/device-routes.ts';
import { sendError } from './api/errors.ts';
import type { Api } from './api/http.ts';
import { addOpenApi } from './api/openapi.ts';
import { addSecurityHeaders } from './api/headers.ts';
import { addSystemRoutes } from './api/system-routes.ts';
import type { Failpoint } from './coordinator/context.ts';
import { Coordinator } from './coordinator/coordinator.ts';
import { LiveGroups } from './coordinator/live-groups.ts';
import { Models } from './coordinator/models.ts';
import { Presence } from './coordinator/presence.ts';
import { RoundBook } from './coordinator/round-facts.ts';
import { RoundSums } from './coordinator/round-sums.ts';
import { Staging } from './coordinator/staging.ts';
import { serverSecret, SignedText } from './devices/secrets.ts';
import { Sessions } from './devices/sessions.ts';
import { Feed } from './realtime/feed.ts';
import { Sockets } from './realtime/sockets.ts';
import { FileBlobs } from './storage/blobs.ts';
import { migrate } from './storage/migrate.ts';
import { openPglite } from './storage/pglite.ts';

export const version = '0.1.0';

/** How a server is started. */
export interface ServerOptions {
  /** Where everything durable lives: the database, blobs, uploads on their way in. */
  dataDirectory: string;
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  /** Origins whose pages may call the device API; device routes use bearer tokens, never cookies. */
  corsOrigin?: string | string[];
  logLevel?: 'silent' | 'error' | 'warn' | 'info';
  /** How often deadlines are looked at. */
  pollIntervalMs?: number;
  /** Folders served as they are: URL prefix -> directory (the SDK's bundle, the examples). */
  pages?: Record<string, string>;
  /** A proxy of ours ends TLS before the server: its word on the caller's address counts, and answers carry HSTS. */
  behindTls?: boolean;
  /** Limits other than the usual ones. */
  rates?: Partial<RateLimitOptions>;
  /** Called at named points between two durable steps: tests end the process there. */
  failpoint?: (name: Failpoint) => void;
}

export interface StarlingServer {
  /** Base URL, e.g. http://127.0.0.1:7700 */
  url: string;
  /** The first API key, only at the first start on an empty data directory. */
  firstKey: string | undefined;
  close(): Promise<void>;
}

const pagePolicy =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/**
 * Starts a server: opens the database behind its lock, brings the schema up to date, resumes rounds under way,
 * listens. Throws `DirectoryInUse` when another server has the data directory open.
 */
export async function startServer(options: ServerOptions): Promise<StarlingServer> {
  const { dataDirectory, host = '127.0.0.1', port = 0, corsOrigin = '*' } = options;
  const database = await openPglite(join(dataDirectory, 'database'));
  const api = Fastify({
    logger: { level: options.logLevel ?? 'warn', redact: ['req.headers.authorization'] },
    childLoggerFactory: (logger, bindings, options) => logger.child(bindings, { ...options, level: 'warn' }),
    bodyLimit: 256 * 1024,
    forceCloseConnections: true,
    trustProxy: options.behindTls === true && ((_address: string, hop: number) => hop === 0),
  }).withTypeProvider<TypeBoxTypeProvider>() as Api;
  try {
    await migrate(database);
    const firstKey = await createFirstKey(database);
    const feed = new Feed();
    const sockets = new Sockets(feed);
    const models = new Models(database);
    const context = {
      database,
      blobs: new FileBlobs(join(dataDirectory, 'blobs')),
      staging: new Staging(join(dataDirectory, 'uploads')),
      presence: new Presence(),
      models,
      rounds: new RoundBook(database, models),
      sums: new RoundSums(),
      groups: new LiveGroups({
        crypto: await mixedProvider(webcrypto.subtle, (length) => new Uint8Array(randomBytes(length))),
        masks: bestMasks(),
      }),
      announce: sockets,
      log: api.log,
      background: new Set<Promise<void>>(),
      failpoint: options.failpoint ?? (() => undefined),
    };
    const coordinator = new Coordinator(context, options.pollIntervalMs ?? 250);
    const signed = new SignedText(await serverSecret(database), () => Date.now());
    const services = {
      coordinator,
      sessions: new Sessions(database, signed),
      limits: new RateLimits(options.rates),
      feed,
      endConnections: (keyId: KeyId) => {
        sockets.endKey(keyId);
      },
    };

    acceptExactly(api);
    api.setErrorHandler(sendError);
    api.setNotFoundHandler(({ method, url }) => {
      throw new ProblemError('not-found', `There is no ${method} ${url}. See /reference.`);
    });
    addSecurityHeaders(api, options.behindTls === true);
    api.decorateRequest('key', null);
    api.decorateRequest('audit', null);
    api.decorateRequest('device', null);
    await api.register(cors, {
      origin: corsOrigin,
      methods: ['GET', 'HEAD', 'POST', 'PATCH'],
      exposedHeaders: ['upload-offset', 'etag', 'retry-after'],
      maxAge: 86_400,
    });
    await addOpenApi(api, version);
    for (const [prefix, root] of Object.entries(options.pages ?? {})) await addPages(api, prefix, root);
    await api.register((scope, _options, done) => {
      addSystemRoutes(scope, services);
      addEnrolmentRoutes(scope, services);
      addBlobRoutes(scope, services);
      done();
    });
    await api.register((scope, _options, done) => {
      addDeviceRoutes(scope, services);
      done();
    });
    await api.register((scope, _options, done) => {
      addAdminRoutes(scope, services);
      done();
    });
    sockets.attach(api.server, services, { corsOrigin });
    await coordinator.start();
    await api.listen({ host, port });
    const { port: bound } = api.server.address() as AddressInfo;
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
      firstKey,
      close: async () => {
        await coordinator.stop();
        feed.end();
        const silent = sockets.close(); // it waits for every connection
        api.server.closeAllConnections();
        await silent;
        await api.close();
        while (context.background.size > 0) await Promise.all(context.background);
        await database.close();
      },
    };
  } catch (error) {
    await api.close();
    await database.close();
    throw error;
  }
}

/** Bodies are taken as they are (no coercion, unknown properties refused); query strings and headers are text. */
function acceptExactly(api: Api): void {
  const strict = new Ajv({ useDefaults: true, allErrors: true, strict: false, validateFormats: false });
  const coercing = new Ajv({ useDefaults: true, coerceTypes: true, strict: false, validateFormats: false });
  api.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : coercing).compile(schema as object),
  );
  api.setSerializerCompiler(() => (data) => JSON.stringify(data));
}

async function addPages(api: Api, prefix: string, root: string): Promise<void> {
  if (!existsSync(root)) return;
  await api.register(serveStatic, {
    root,
    prefix,
    decorateReply: false,
    setHeaders: (reply) => {
      reply.setHeader('content-security-policy', pagePolicy);
      reply.setHeader('x-content-type-options', 'nosniff');
      reply.setHeader('referrer-policy', 'no-referrer');
    },
  });
}
