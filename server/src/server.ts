import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import serveStatic from '@fastify/static';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { ProblemError } from '@starling/protocol';
import { bestMasks, mixedProvider } from '@starling/secure';
import { Ajv } from 'ajv';
import Fastify from 'fastify';
import { createFirstKey } from './access/keys.ts';
import { inviteFirstAdmin } from './access/members.ts';
import { checkProvider, OidcProvider, type OidcOptions } from './access/oidc.ts';
import { RateLimits, type RateLimitOptions } from './access/rate-limits.ts';
import { addAdminRoutes } from './api/admin-routes.ts';
import { addConsole } from './api/console.ts';
import { addBlobRoutes } from './api/blob-routes.ts';
import { addBodyRules } from './api/bodies.ts';
import { addDeviceRoutes, addEnrolmentRoutes, uploadType } from './api/device-routes.ts';
import { addCrossOrigin } from './api/cross-origin.ts';
import { sendError } from './api/errors.ts';
import type { Api } from './api/http.ts';
import { addOpenApi } from './api/openapi.ts';
import { addSecurityHeaders } from './api/headers.ts';
import { addOidcRoutes, callbackPath } from './api/oidc-routes.ts';
import { addSessionRoutes } from './api/session-routes.ts';
import { addSystemRoutes } from './api/system-routes.ts';
import { Budget } from './coordinator/budget.ts';
import { deviceBatches } from './coordinator/batches.ts';
import type { Context, Failpoint } from './coordinator/context.ts';
import { Coordinator } from './coordinator/coordinator.ts';
import { GroupPost } from './coordinator/group-post.ts';
import { LiveGroups } from './coordinator/live-groups.ts';
import { Models } from './coordinator/models.ts';
import { Nodes } from './coordinator/nodes.ts';
import { Presence } from './coordinator/presence.ts';
import { repeat } from './coordinator/repeat.ts';
import { Retention, type RetentionRules } from './coordinator/retention.ts';
import { RoundBook } from './coordinator/round-facts.ts';
import { RoundSums } from './coordinator/round-sums.ts';
import { Staging } from './coordinator/staging.ts';
import type { Forecaster } from './forecast/forecaster.ts';
import { startObservation, type Observation } from './observability/observation.ts';
import { logOptions } from './observability/log-options.ts';
import { observeRequests } from './observability/http-observation.ts';
import type { MetricsAddress } from './observability/metrics-listener.ts';
import { ObservedDatabase } from './observability/observed-database.ts';
import { NodeHealth } from './observability/node-health.ts';
import { Readiness } from './observability/readiness.ts';
import { UpdateBuffers } from './coordinator/update-buffers.ts';
import { asOnlyWriter } from './coordinator/upload-writers.ts';
import { serverSecret, SignedText } from './devices/secrets.ts';
import { Sessions } from './devices/sessions.ts';
import { overPostgres, type BetweenNodes } from './realtime/between-nodes.ts';
import { Feed } from './realtime/feed.ts';
import { Sockets } from './realtime/sockets.ts';
import { HotBlobs } from './storage/hot-blobs.ts';
import { KeptBlobs } from './storage/kept-blobs.ts';
import { migrate } from './storage/migrate.ts';
import {
  jobsDirectory,
  openBlobs,
  openDatabase,
  uploadsDirectory,
  type StoragePlace,
} from './storage/open.ts';
import { Cloud, type CloudOptions } from './training/cloud.ts';
import { JobRunner } from './training/runner.ts';
import type { Unmasking } from './unmasking/unmasking.ts';
import { unmaskingThreads } from './unmasking/unmasking-threads.ts';

export const version = '0.1.0';

/** How a server is started. */
export interface ServerOptions extends StoragePlace {
  host?: string;
  /** 0 takes any free port. */
  port?: number;
  /** Origins whose pages may be devices (default: any); device routes use bearer tokens, never cookies. */
  corsOrigin?: string | string[];
  logLevel?: 'silent' | 'error' | 'warn' | 'info';
  /** How often deadlines are looked at. */
  pollIntervalMs?: number;
  /** What the server lets go of; by default it keeps all versions. */
  retention?: RetentionRules;
  /** Where jobs of training in the cloud run, and the data they may use; without it there is neither. */
  cloud?: CloudOptions;
  /** What foretells the cost of tasks; without it nobody does. */
  forecaster?: Forecaster;
  /** Folders served as they are: URL prefix -> directory (the SDK's bundle, the examples). */
  pages?: Record<string, string>;
  /** Folder of the built console, served at /console/. */
  console?: string;
  /** A proxy of ours ends TLS before the server: its word on the caller's address counts, and answers carry HSTS. */
  behindTls?: boolean;
  /** Where Prometheus may ask for metrics: a port of its own, for nobody else. Without it, nothing is counted. */
  metrics?: MetricsAddress;
  /** Traces of requests go on from the header `traceparent`: only where a proxy of ours keeps out those of strangers. */
  trustTraceparent?: boolean;
  /** Where people find the server, e.g. https://fl.example.com, if a proxy in front changes the host. */
  publicUrl?: string;
  /** Where people sign in; needs `publicUrl`. */
  oidc?: OidcOptions;
  /** Limits other than the usual ones. */
  rates?: Partial<RateLimitOptions>;
  /** How masks are taken off the sums of groups: in threads of this process, unless given. */
  unmasking?: Unmasking;
  /** Called at named points between two durable steps: tests end the process there. */
  failpoint?: (name: Failpoint) => void;
}

export interface StarlingServer {
  /** Base URL, e.g. http://127.0.0.1:7700 */
  url: string;
  /** The first API key, only at the first start on an empty data directory. */
  firstKey: string | undefined;
  /** Where Prometheus asks, if it may. */
  metricsUrl: string | undefined;
  /** Ends it. For `drainMs` before that it serves on, but says at /readyz that it will end. */
  close(options?: { drainMs?: number }): Promise<void>;
}

const pagePolicy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** How long the headers of a request may take, and how long all of it: a longer upload is resumed. */
const headersPatienceMs = 10_000;
const requestPatienceMs = 600_000;

/** Of updates that are received in one go, verified, recorded and folded at a time. */
const inMemoryBytes = 24 * 2 ** 20;

/** How long requests under way may take at the end. A connection without a request would hold it up for a minute. */
const closingGraceMs = 3_000;

/**
 * Starts a server: opens the database behind its lock, brings the schema up to date, resumes rounds under way,
 * listens. Throws `DirectoryInUse` when another server has the data directory open, `DatabaseUnavailable`,
 * `UnsupportedDatabase`, `UnknownSchema`, `BlobStoreFailed` for storage that cannot be used, and `TypeError` for a provider
 * that people cannot sign in at.
 */
export async function startServer(options: ServerOptions): Promise<StarlingServer> {
  const { host = '127.0.0.1', port = 0, corsOrigin = '*', oidc } = options;
  if (oidc) checkProvider(oidc, options.publicUrl);
  const opened = await openDatabase(options);
  const api = Fastify({
    logger: logOptions(options.logLevel ?? 'warn'),
    childLoggerFactory: (logger, bindings, options) => logger.child(bindings, { ...options, level: 'warn' }),
    bodyLimit: 256 * 1024,
    requestTimeout: requestPatienceMs,
    http: { headersTimeout: headersPatienceMs, connectionsCheckingInterval: 2_000 },
    forceCloseConnections: true,
    trustProxy: options.behindTls === true && ((_address: string, hop: number) => hop === 0),
  }).withTypeProvider<TypeBoxTypeProvider>();
  const feed = new Feed();
  const sockets = new Sockets(feed);
  let hints: BetweenNodes | undefined;
  let leave = () => Promise.resolve();
  let observation: Observation | undefined;
  let health: NodeHealth | undefined;
  try {
    await migrate(opened);
    observation = await startObservation(
      { counts: options.metrics !== undefined, trustsCallers: options.trustTraceparent === true },
      version,
      api.log,
    );
    const { observer, tracing } = observation;
    const database = observation.isOn ? new ObservedDatabase(opened, observer) : opened;
    const firstKey = await createFirstKey(database);
    const provider = oidc && new OidcProvider(oidc, database, new URL(callbackPath, options.publicUrl).href);
    if (oidc?.admin !== undefined) await inviteFirstAdmin(database, oidc.admin);
    const unmasking = options.unmasking ?? unmaskingThreads();
    const models = new Models(database);
    const store = await openBlobs(options);
    const kept = new KeptBlobs(store, database);
    const cloud = new Cloud(options.cloud ?? { backends: [], dataSets: {} }, jobsDirectory(options));
    const nodes = new Nodes(database, repeat);
    const groups = new LiveGroups(
      {
        crypto: await mixedProvider(webcrypto.subtle, (length) => new Uint8Array(randomBytes(length))),
        masks: bestMasks(),
      },
      unmasking,
    );
    const context: Context = {
      batches: deviceBatches(() => context),
      inMemory: new Budget(inMemoryBytes),
      buffers: new UpdateBuffers(inMemoryBytes),
      cloud,
      database,
      blobs: new HotBlobs(kept),
      staging: new Staging(uploadsDirectory(options), (id, work) =>
        asOnlyWriter({ database, nodes, log: api.log }, id, work),
      ),
      presence: new Presence(),
      models,
      rounds: new RoundBook(database, models),
      sums: new RoundSums(),
      nodes,
      groups,
      post: new GroupPost({ database, nodes, groups, line: sockets, log: api.log }),
      announce: sockets,
      log: api.log,
      observer,
      repeat,
      background: new Set<Promise<void>>(),
      failpoint: options.failpoint ?? (() => undefined),
    };
    const coordinator = new Coordinator(context, options.pollIntervalMs ?? 250);
    leave = () => coordinator.leave();
    const retention = new Retention(context, kept, options.retention ?? {});
    const runner = new JobRunner(context, options.pollIntervalMs ?? 1000);
    const signed = new SignedText(await serverSecret(database), () => Date.now());
    const readiness = new Readiness([
      { name: 'database', passes: () => database.query('select 1') },
      { name: 'blobs', passes: () => store.check() },
      { name: 'uploads', passes: () => context.staging.check() },
    ]);
    health = new NodeHealth({
      ...{ id: nodes.id, version, database, presence: context.presence, readiness },
      databaseKind: options.databaseUrl === undefined ? 'embedded' : 'postgres',
      blobs: options.blobsUrl === undefined ? 'files' : 'object-store',
    });
    const node = health;
    const services = {
      coordinator,
      readiness,
      node,
      forecaster: options.forecaster,
      sessions: new Sessions(database, signed, groups.environment.crypto),
      limits: new RateLimits(options.rates),
      feed,
      site: { behindTls: options.behindTls === true, publicUrl: options.publicUrl },
      endConnections: (whose: string) => {
        sockets.endWatching(whose);
      },
    };

    acceptExactly(api);
    observeRequests(api, observer, tracing);
    addBodyRules(api, uploadType);
    api.setErrorHandler(sendError);
    api.setNotFoundHandler(({ method, url }) => {
      throw new ProblemError('not-found', `There is no ${method} ${url}. See /reference.`);
    });
    addSecurityHeaders(api, options.behindTls === true);
    api.decorateRequest('caller', null);
    api.decorateRequest('commit', null);
    api.decorateRequest('audit', null);
    api.decorateRequest('device', null);
    await addCrossOrigin(api, corsOrigin);
    await addOpenApi(api, version);
    for (const [prefix, root] of Object.entries(options.pages ?? {})) await addPages(api, prefix, root);
    if (options.console !== undefined) await addConsole(api, options.console);
    await api.register((scope, _options, done) => {
      addSystemRoutes(scope, services);
      addEnrolmentRoutes(scope, services);
      addBlobRoutes(scope, services);
      addSessionRoutes(scope, services, provider);
      if (provider) addOidcRoutes(scope, services, provider);
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
    if (options.databaseUrl !== undefined) {
      hints = overPostgres(options.databaseUrl, (error) => {
        api.log.warn({ error }, 'hints to devices of other nodes are not delivered; devices ask instead');
      });
    }
    sockets.attach(api.server, services, { corsOrigin, ...(hints && { adapter: hints.adapter }) });
    await coordinator.start(options.databaseUrl === undefined);
    runner.start();
    await api.listen({ host, port });
    const metricsUrl =
      options.metrics &&
      (await observation.listen(options.metrics, {
        version,
        database: opened,
        presence: context.presence,
        readiness,
      }));
    retention.start();
    const { port: bound } = api.server.address() as AddressInfo;
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
      firstKey,
      metricsUrl,
      close: async ({ drainMs = 0 } = {}) => {
        readiness.drain();
        node.close();
        if (drainMs > 0) await new Promise((resolve) => setTimeout(resolve, drainMs));
        await runner.stop();
        await coordinator.stop();
        await cloud.close();
        await retention.stop();
        feed.end();
        const cut = setTimeout(() => {
          api.server.closeAllConnections();
        }, closingGraceMs);
        await sockets.close();
        await api.close();
        clearTimeout(cut);
        await coordinator.leave();
        await unmasking.close();
        await hints?.close();
        await opened.close();
        await observation?.close();
      },
    };
  } catch (error) {
    health?.close();
    await leave().catch(() => undefined); // the error that is thrown says more
    await sockets.close();
    await api.close();
    await hints?.close();
    await opened.close();
    await observation?.close();
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
