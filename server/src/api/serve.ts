import type { ServerResponse } from 'node:http';
import {
  endpoints,
  type AnswerOf,
  type BodyOf,
  type Endpoint,
  type Endpoints,
  type Operation,
  type ParamsOf,
  type QueryOf,
} from '@starling/protocol/api';
import { Type } from 'typebox';
import type { ProjectId } from '@starling/protocol';
import { recordEnded } from '../access/audit.ts';
import type { CallerIdentity } from '../access/caller.ts';
import type { Commit, Querier } from '../storage/database.ts';
import { exampleAnswer } from './examples.ts';
import type { AdminRoute, Api } from './http.ts';
import { bodyOrNothing, callerOf } from './http.ts';
import { problemResponses } from './openapi.ts';

/** A request of an operation, its parts checked against the operation's schemas. */
export interface Served<E extends Endpoint> {
  caller: CallerIdentity;
  params: ParamsOf<E>;
  query: QueryOf<E>;
  body: BodyOf<E>;
  /** Commits the action together with its answer: a request that is sent again does not act again. Once a request. */
  commit: Commit<AnswerOf<E>>;
  /** Aborts when the connection ends before the answer: nobody waits for it any more. */
  gone: () => AbortSignal;
  /** Records the request as done in the audit log of another project, too, which it concerns. */
  recordIn: (tx: Querier, projectId: ProjectId) => Promise<void>;
}

/** Registers the route of an operation of the admin API. */
export function serve<O extends Operation>(
  api: Api,
  operation: O,
  handler: (request: Served<Endpoints[O]>) => Promise<AnswerOf<Endpoints[O]>>,
  options: { bodyLimit?: number } = {},
): void {
  const endpoint: Endpoint = endpoints[operation];
  const { status = 200 } = endpoint;
  api.route({
    method: endpoint.method,
    url: endpoint.path,
    ...options,
    ...describeRoute(operation, endpoint),
    preValidation: bodyOrNothing(endpoint.body),
    handler: async (request, reply) => {
      const answer = await handler({
        caller: callerOf(request),
        params: request.params as ParamsOf<Endpoints[O]>, // validated by the schemas of this operation
        query: request.query as QueryOf<Endpoints[O]>,
        body: request.body as BodyOf<Endpoints[O]>,
        commit: (work) => {
          if (!request.commit) throw new TypeError('A route without idempotency asked to commit.');
          return request.commit(status, work);
        },
        gone: () => goneOf(reply.raw),
        recordIn: async (tx, projectId) => {
          if (request.audit) await recordEnded(tx, projectId, request.audit.entry, status);
        },
      });
      if (request.audit) request.audit.made = nameOf(answer);
      return reply.status(status).send(answer);
    },
  });
}

function goneOf(answer: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (answer.destroyed && !answer.writableFinished) gone.abort(); // while it was looked up who asks
  answer.once('close', () => {
    if (!answer.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Schema and configuration of an admin route: what OpenAPI shows is what the hooks check. */
export function describeRoute(
  operation: string,
  endpoint: Endpoint,
): { schema: object; config: { admin: AdminRoute } } {
  const { tag, summary, description, role, params, query, body, example, answer, status = 200 } = endpoint;
  return {
    schema: {
      tags: [tag],
      operationId: operation,
      summary,
      ...(description !== undefined && { description }),
      'x-role': role,
      ...(params && { params: Type.Object({ ...params }) }),
      ...(query && { querystring: query }),
      ...(body && { body: example === undefined ? body : { ...body, examples: [example] } }),
      response: { [status]: { ...answer, examples: [exampleAnswer(answer, example)] }, ...problemResponses },
    },
    config: { admin: { operation, role, changes: endpoint.method !== 'GET' && !endpoint.readOnly } },
  };
}

/** What names the object of an answer, for the audit log. */
function nameOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null) return null;
  if ('id' in answer && typeof answer.id === 'string') return answer.id;
  return 'digest' in answer && typeof answer.digest === 'string' ? answer.digest : null;
}
