import { layoutOf, ModelError, parseModel } from '@starling/model';
import {
  canonicalJson,
  digestJson,
  utf8Encode,
  ProblemError,
  type Device as DeviceView,
  type DeviceId,
  type Labels,
  type ModelDetail as ModelDetailView,
  type ModelSummary as ModelSummaryView,
  type ProjectId,
} from '@starling/protocol';
import * as schema from '@starling/protocol/schemas';
import { Type, type TSchema } from 'typebox';
import {
  readRound,
  readTask,
  readVersion,
  roundDetail,
  roundView,
  taskView,
  versionView,
} from '../coordinator/views.ts';
import { registerBlob } from '../coordinator/publish.ts';
import type { RoundRow, TaskRow, VersionRow } from '../coordinator/rows.ts';
import { createEnrolmentToken, listEnrolmentTokens, revokeEnrolmentToken } from '../devices/enrolment.ts';
import { addIdempotency } from './idempotency.ts';
import { bearer, projectOf, type Api, type ApiServices } from './http.ts';
import { identifyKey } from './keys.ts';
import { problemResponses } from './openapi.ts';
import { PageQuery, readPage } from './pages.ts';

/** The admin API: everything that the console, the command line and scripts do. Each route sees its own project only. */
export function addAdminRoutes(api: Api, { coordinator }: ApiServices): void {
  const { database } = coordinator.context;
  api.addHook('onRequest', async (request) => {
    request.key = await identifyKey(database, bearer(request));
  });
  addIdempotency(api, database);
  addDeviceAdministration(api, coordinator);
  addModelRoutes(api, coordinator);
  addTaskRoutes(api, coordinator);
  addRoundRoutes(api, coordinator);
}

type Coordinator = ApiServices['coordinator'];

const path = <T extends TSchema>(id: T) => Type.Object({ id });
/** What an admin route says of itself. Answers are documented here and typed by the views that make them. */
const admin = (
  summary: string,
  answer: object,
  status: 200 | 201 = 200,
): { tags: string[]; summary: string; response: object } => ({
  tags: ['admin'],
  summary,
  response: { [status]: answer, ...problemResponses },
});

function addDeviceAdministration(api: Api, coordinator: Coordinator): void {
  const { database, presence } = coordinator.context;
  api.post(
    '/v1/enrolment-tokens',
    {
      schema: {
        ...admin('Make an enrolment token', schema.EnrolmentTokenCreated, 201),
        body: schema.EnrolmentTokenRequest,
      },
    },
    async (request, reply) =>
      reply.status(201).send(await createEnrolmentToken(database, projectOf(request), request.body)),
  );
  api.get(
    '/v1/enrolment-tokens',
    { schema: admin('List enrolment tokens', schema.Page(schema.EnrolmentToken)) },
    async (request) => ({ items: await listEnrolmentTokens(database, projectOf(request)), next: null }),
  );
  api.post(
    '/v1/enrolment-tokens/:id/revoke',
    {
      schema: {
        ...admin('Revoke an enrolment token', schema.EnrolmentToken),
        params: path(schema.ids.enrolmentToken),
      },
    },
    (request) => revokeEnrolmentToken(database, projectOf(request), request.params.id),
  );

  interface DeviceRow {
    id: DeviceId;
    public_key: string;
    platform: string;
    sdk_version: string;
    labels: Labels;
    state: 'active' | 'revoked';
    created_at: Date;
  }
  const view = (row: DeviceRow): DeviceView => ({
    id: row.id,
    publicKey: row.public_key,
    platform: row.platform,
    sdkVersion: row.sdk_version,
    labels: row.labels,
    state: row.state,
    online: presence.isPresent(row.id),
    createdAt: row.created_at.toISOString(),
  });
  const readDevice = async (projectId: ProjectId, id: DeviceId) => {
    const [row] = await database.query<DeviceRow>('select * from devices where id = $1 and project_id = $2', [
      id,
      projectId,
    ]);
    if (!row) throw new ProblemError('not-found', `There is no device ${id}.`);
    return view(row);
  };
  api.get(
    '/v1/devices',
    { schema: { ...admin('List devices', schema.Page(schema.Device)), querystring: PageQuery } },
    async (request) => {
      const page = await readPage<DeviceRow>(
        database,
        {
          table: 'devices',
          condition: 'project_id = $1',
          values: [projectOf(request)],
          column: 'created_at',
        },
        request.query,
      );
      return { ...page, items: page.items.map(view) };
    },
  );
  api.get(
    '/v1/devices/:id',
    { schema: { ...admin('Read a device', schema.Device), params: path(schema.ids.device) } },
    (request) => readDevice(projectOf(request), request.params.id),
  );
  api.post(
    '/v1/devices/:id/revoke',
    { schema: { ...admin('Revoke a device', schema.Device), params: path(schema.ids.device) } },
    async (request) => {
      await coordinator.revokeDevice(projectOf(request), request.params.id);
      return readDevice(projectOf(request), request.params.id);
    },
  );
}

function addModelRoutes(api: Api, coordinator: Coordinator): void {
  const { database, blobs } = coordinator.context;
  interface ModelRow {
    digest: string;
    name: string;
    parameters: number;
    input_shape: number[];
    classes: number;
    ir: unknown;
    created_at: Date;
  }
  const summary = (row: ModelRow): ModelSummaryView => ({
    digest: row.digest,
    name: row.name,
    parameters: row.parameters,
    inputShape: row.input_shape,
    classes: row.classes,
    createdAt: row.created_at.toISOString(),
  });
  const readModel = async (projectId: ProjectId, digest: string): Promise<ModelDetailView> => {
    const [row] = await database.query<ModelRow>(
      'select * from models where project_id = $1 and digest = $2',
      [projectId, digest],
    );
    if (!row) throw new ProblemError('not-found', `There is no model ${digest}.`);
    return { ...summary(row), ir: row.ir };
  };

  api.post(
    '/v1/models',
    {
      bodyLimit: 4 << 20,
      schema: {
        ...admin('Upload a model IR', schema.ModelDetail, 201),
        description:
          'The digest of its canonical JSON (RFC 8785) names it; the same IR again is the same model.',
        body: Type.Unsafe<object>({ type: 'object', description: 'Unified Model IR (docs/model-ir.md).' }),
      },
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const model = parseOrRefuse(request.body);
      const digest = digestJson(model.ir);
      const file = utf8Encode(canonicalJson(model.ir));
      const sha256 = await blobs.put(file);
      await database.tx(async (tx) => {
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
      });
      return reply.status(201).send(await readModel(projectId, digest));
    },
  );
  api.get(
    '/v1/models',
    { schema: admin('List models', schema.Page(schema.ModelSummary)) },
    async (request) => {
      const rows = await database.query<ModelRow>(
        'select * from models where project_id = $1 order by created_at desc limit 200',
        [projectOf(request)],
      );
      return { items: rows.map(summary), next: null };
    },
  );
  api.get(
    '/v1/models/:digest',
    {
      schema: {
        ...admin('Read a model', schema.ModelDetail),
        params: Type.Object({ digest: schema.Sha256Schema }),
      },
    },
    (request) => readModel(projectOf(request), request.params.digest),
  );
}

function addTaskRoutes(api: Api, coordinator: Coordinator): void {
  const { database } = coordinator.context;
  const params = path(schema.ids.task);
  const owned = async (projectId: ProjectId, id: TaskRow['id']): Promise<TaskRow> => {
    const row = await readTask(database, id);
    if (row.project_id !== projectId) throw new ProblemError('not-found', `There is no task ${id}.`);
    return row;
  };

  api.post(
    '/v1/tasks',
    {
      schema: {
        ...admin('Create a task', schema.Task, 201),
        description:
          'A task is a model, a plan and the rules of its cohort (docs/plan.md). It starts as a draft.',
        body: schema.TaskRequest,
      },
    },
    async (request, reply) =>
      reply.status(201).send(await coordinator.createTask(projectOf(request), request.body)),
  );
  api.get(
    '/v1/tasks',
    { schema: { ...admin('List tasks', schema.Page(schema.Task)), querystring: PageQuery } },
    async (request) => {
      const page = await readPage<TaskRow>(
        database,
        { table: 'tasks', condition: 'project_id = $1', values: [projectOf(request)], column: 'created_at' },
        request.query,
      );
      return { ...page, items: page.items.map(taskView) };
    },
  );
  api.get('/v1/tasks/:id', { schema: { ...admin('Read a task', schema.Task), params } }, async (request) =>
    taskView(await owned(projectOf(request), request.params.id)),
  );
  for (const action of ['start', 'pause', 'resume', 'cancel'] as const) {
    api.post(
      `/v1/tasks/:id/${action}`,
      {
        schema: {
          ...admin(`${action.charAt(0).toUpperCase()}${action.slice(1)} a task`, schema.Task),
          params,
        },
      },
      async (request) => {
        await owned(projectOf(request), request.params.id);
        return coordinator[`${action}Task`](request.params.id);
      },
    );
  }
  api.post(
    '/v1/tasks/:id/evaluations',
    {
      schema: {
        ...admin('Judge a version on devices', schema.Round, 201),
        params,
        body: schema.EvaluationRequest,
      },
    },
    async (request, reply) => {
      await owned(projectOf(request), request.params.id);
      const { spec, version } = request.body;
      return reply.status(201).send(await coordinator.requestEvaluation(request.params.id, spec, version));
    },
  );
  api.get(
    '/v1/tasks/:id/rounds',
    {
      schema: {
        ...admin('List the rounds of a task, newest first', schema.Page(schema.Round)),
        description: 'Each published round carries its metrics: this is the learning curve.',
        params,
        querystring: PageQuery,
      },
    },
    async (request) => {
      const task = await owned(projectOf(request), request.params.id);
      const page = await readPage<RoundRow>(
        database,
        { table: 'rounds', condition: 'task_id = $1', values: [task.id], column: 'sequence' },
        request.query,
      );
      return { ...page, items: page.items.map(roundView) };
    },
  );
  api.get(
    '/v1/tasks/:id/versions',
    {
      schema: {
        ...admin('List the model versions of a task, newest first', schema.Page(schema.ModelVersion)),
        params,
        querystring: PageQuery,
      },
    },
    async (request) => {
      const task = await owned(projectOf(request), request.params.id);
      const page = await readPage<VersionRow>(
        database,
        { table: 'model_versions', condition: 'task_id = $1', values: [task.id], column: 'number' },
        request.query,
      );
      return { ...page, items: page.items.map(versionView) };
    },
  );
}

function addRoundRoutes(api: Api, coordinator: Coordinator): void {
  const { database } = coordinator.context;
  api.get(
    '/v1/rounds/:id',
    {
      schema: {
        ...admin('Read a round with its funnel', schema.RoundDetail),
        params: path(schema.ids.round),
      },
    },
    async (request) => {
      const row = await readRound(database, request.params.id);
      if (row.project_id !== projectOf(request)) {
        throw new ProblemError('not-found', `There is no round ${row.id}.`);
      }
      return roundDetail(database, row);
    },
  );
  api.get(
    '/v1/versions/:id',
    {
      schema: { ...admin('Read a model version', schema.ModelVersion), params: path(schema.ids.version) },
    },
    async (request) => {
      const row = await readVersion(database, request.params.id);
      if (row.project_id !== projectOf(request)) {
        throw new ProblemError('not-found', `There is no model version ${row.id}.`);
      }
      return versionView(row);
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
