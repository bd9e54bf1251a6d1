import { ProblemError, type ProjectId } from '@starling/protocol';
import { Sha256Schema } from '@starling/protocol/schemas';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Batches } from '../storage/batches.ts';
import { identifyCaller, type CallerChecks } from './credentials.ts';
import { bearer, type Api, type ApiServices } from './http.ts';
import { fileResponses } from './openapi.ts';

/** Immutable bytes for devices and people of the project that owns them: ETag, Range, cacheable for ever. */
export function addBlobRoutes(api: Api, { coordinator, sessions, limits, site }: ApiServices): void {
  const { database, blobs } = coordinator.context;
  const checks: CallerChecks = { database, limits, site };
  const projectOfCaller = async (request: FastifyRequest): Promise<ProjectId> => {
    const token = bearer(request);
    const isOfDevice = token !== undefined && !token.startsWith('sk_');
    if (!isOfDevice) return (await identifyCaller(request, checks)).projectId;
    const device = await sessions.identify(token);
    limits.device.take(device.deviceId);
    return device.projectId;
  };
  const owned = new Batches<{ projectId: ProjectId; sha256: string }, boolean>(async (wanted) => {
    const rows = await database.query<{ project_id: string; sha256: string }>(
      `select project_id, sha256 from blobs
        where (project_id, sha256) in (select * from unnest($1::text[], $2::text[]))`,
      [wanted.map(({ projectId }) => projectId), wanted.map(({ sha256 }) => sha256)],
    );
    const found = new Set(rows.map((row) => `${row.project_id} ${row.sha256}`));
    return wanted.map(({ projectId, sha256 }) => found.has(`${projectId} ${sha256}`));
  });
  api.get(
    '/v1/blobs/:sha256',
    {
      schema: {
        tags: ['blobs'],
        operationId: 'readBlob',
        summary: 'Read a blob by its SHA-256',
        'x-role': 'viewer',
        params: Type.Object({ sha256: Sha256Schema }),
        response: fileResponses('application/octet-stream', 'Its bytes: all, or with Range (206) a part.'),
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params;
      const projectId = await projectOfCaller(request);
      if (!(await owned.add({ projectId, sha256 })))
        throw new ProblemError('not-found', `There is no blob ${sha256}.`);
      const etag = `"${sha256}"`;
      void reply
        .header('etag', etag)
        .header('cache-control', 'private, max-age=31536000, immutable')
        .header('accept-ranges', 'bytes');
      if (request.headers['if-none-match'] === etag) return reply.status(304).send();
      const size = await blobs.size(sha256);
      const range = rangeOf(request.headers.range, size);
      void reply.type('application/octet-stream').header('content-length', range.end - range.start + 1);
      if (range.partial) {
        void reply.status(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
      }
      return reply.send(blobs.stream(sha256, range));
    },
  );
}

/** One byte range (RFC 9110, section 14.1.2); several ranges are answered with the whole. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number; partial: boolean } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (!match || (from === '' && to === '')) return { start: 0, end: size - 1, partial: false };
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end || start >= size) {
    throw new ProblemError('range-not-satisfiable', `The blob has ${size} bytes.`);
  }
  return { start, end, partial: true };
}
