import { layoutOf, ModelError, parseModel } from '@starling/model';
import {
  canonicalJson,
  digestJson,
  utf8Encode,
  ProblemError,
  type ModelDetail as ModelDetailView,
  type ModelSummary as ModelSummaryView,
  type ProjectId,
} from '@starling/protocol';
import { ids } from '@starling/protocol/schemas';
import { Type } from 'typebox';
import { registerBlob } from '../coordinator/publish.ts';
import {
  lineageOf,
  namedReleases,
  ownedVersion,
  promote,
  releaseView,
  rollBack,
  type ReleaseRow,
} from '../coordinator/releases.ts';
import type { TaskRow, VersionRow } from '../coordinator/rows.ts';
import { ownedTask } from '../coordinator/task-drafts.ts';
import { onnxOf } from '../coordinator/version-files.ts';
import { taskView, versionView } from '../coordinator/views.ts';
import type { Querier } from '../storage/database.ts';
import { projectOf, type Api, type ApiServices } from './http.ts';
import { fileResponses } from './openapi.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

interface ModelRow {
  id: string;
  digest: string;
  name: string;
  parameters: number;
  input_shape: number[];
  classes: number;
  ir: unknown;
  created_at: Date;
}

/** Models, their versions, and which of them devices are served. */
export function addModelRoutes(api: Api, { coordinator }: ApiServices): void {
  const { context } = coordinator;
  const { database, blobs } = context;
  const summary = (row: ModelRow): ModelSummaryView => ({
    digest: row.digest,
    name: row.name,
    parameters: row.parameters,
    inputShape: row.input_shape,
    classes: row.classes,
    createdAt: row.created_at.toISOString(),
  });
  const readModel = async (
    querier: Querier,
    projectId: ProjectId,
    digest: string,
  ): Promise<ModelDetailView> => {
    const [row] = await querier.query<ModelRow>(
      'select * from models where project_id = $1 and digest = $2',
      [projectId, digest],
    );
    if (!row) throw new ProblemError('not-found', `There is no model ${digest}.`);
    return { ...summary(row), ir: row.ir };
  };

  serve(
    api,
    'uploadModel',
    async ({ caller: { projectId }, body, commit }) => {
      const model = parseOrRefuse(body);
      const digest = digestJson(model.ir);
      const file = utf8Encode(canonicalJson(model.ir));
      const sha256 = await blobs.put(file);
      return commit(async (tx) => {
        await tx.query(
          `insert into models (project_id, digest, name, ir, parameters, input_shape, classes)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
          [
            projectId,
            digest,
            model.name,
            model.ir,
            layoutOf(model).weights.size,
            JSON.stringify(model.inputShape),
            model.classes,
          ],
        );
        await registerBlob(tx, { project_id: projectId }, { sha256, bytes: file.length });
        return readModel(tx, projectId, digest);
      });
    },
    { bodyLimit: 4 << 20 },
  );
  serve(api, 'listModels', async ({ caller, query }) => {
    const page = await readPage<ModelRow>(
      database,
      {
        table: '(select *, digest as id from models) as models',
        condition: 'project_id = $1',
        values: [caller.projectId],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(summary) };
  });
  serve(api, 'getModel', ({ caller, params }) => readModel(database, caller.projectId, params.digest));

  serve(api, 'listModelTasks', async ({ caller: { projectId }, params, query }) => {
    await readModel(database, projectId, params.digest);
    const page = await readPage<TaskRow>(
      database,
      {
        table: 'tasks',
        condition: 'project_id = $1 and model_digest = $2',
        values: [projectId, params.digest],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(taskView) };
  });

  serve(api, 'listVersions', async ({ caller, params, query }) => {
    const task = await ownedTask(database, caller.projectId, params.id);
    const page = await readPage<VersionRow>(
      database,
      { table: 'model_versions', condition: 'task_id = $1', values: [task.id], column: 'number' },
      query,
    );
    return { ...page, items: page.items.map(versionView) };
  });
  serve(api, 'getVersion', async ({ caller, params }) =>
    versionView(await ownedVersion(database, caller.projectId, params.id)),
  );
  serve(api, 'getLineage', ({ caller, params, query }) =>
    lineageOf(database, caller.projectId, params.id, query.limit),
  );
  serve(api, 'promoteVersion', ({ caller, params, body, commit }) =>
    promote(context, caller, params.id, body.note ?? '', commit),
  );
  serve(api, 'rollBackTask', ({ caller, params, body, commit }) =>
    rollBack(context, caller, params.id, body.note ?? '', commit),
  );
  serve(api, 'listReleases', async ({ caller, params, query }) => {
    const task = await ownedTask(database, caller.projectId, params.id);
    const page = await readPage<ReleaseRow>(
      database,
      {
        table: `(${namedReleases}) as releases`,
        condition: 'task_id = $1',
        values: [task.id],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(releaseView) };
  });

  api.get(
    '/v1/versions/:id/download',
    {
      schema: {
        tags: ['models'],
        operationId: 'downloadVersion',
        summary: 'Download a model version',
        description:
          '`safetensors`: the weights as they are stored. `onnx`: model and weights for inference (docs/interchange.md).',
        'x-role': 'viewer',
        params: Type.Object({ id: ids.version }),
        querystring: Type.Object(
          {
            format: Type.Union([Type.Literal('safetensors'), Type.Literal('onnx')], {
              default: 'safetensors',
            }),
          },
          { additionalProperties: false },
        ),
        response: fileResponses('application/octet-stream', 'The file.'),
      },
      config: { admin: { operation: 'downloadVersion', role: 'viewer', changes: false } },
    },
    async (request, reply) => {
      const version = await ownedVersion(database, projectOf(request), request.params.id);
      const { format } = request.query;
      void reply
        .type('application/octet-stream')
        .header('cache-control', 'private, no-cache')
        .header('content-disposition', `attachment; filename="${version.id}.${format}"`);
      if (format === 'onnx') return reply.send(Buffer.from(await onnxOf(context, version)));
      void reply.header('content-length', version.bytes);
      return reply.send(blobs.stream(version.weights, { start: 0, end: version.bytes - 1 }));
    },
  );
}

function parseOrRefuse(json: unknown) {
  try {
    return parseModel(json);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new ProblemError('invalid-model', error.message, {
      errors: [{ path: error.path, message: error.message }],
    });
  }
}
