import { Type, type Static } from 'typebox';
import {
  ids,
  ModelDetail,
  ModelSummary,
  ModelVersion,
  RoundKind,
  Sha256Schema,
  Task,
} from '../schemas/resources.ts';
import { closed, Instant, Nullable, OneOf, PageOf, PageQuery } from './common.ts';
import type { Endpoint } from './endpoint.ts';

export const LineageStep = Type.Object({
  version: ModelVersion,
  origin: Type.Unsafe<{
    round: Static<typeof ids.round>;
    kind: Static<typeof RoundKind>;
    number: number;
    devices: number;
  } | null>({
    ...Nullable(
      Type.Object({ round: ids.round, kind: RoundKind, number: Type.Integer(), devices: Type.Integer() }),
    ),
    description:
      'The round that published it; `null` for the version that a task began with, and for those of jobs.',
  }),
});
export type LineageStep = Static<typeof LineageStep>;

export const Lineage = Type.Object({
  steps: Type.Array(LineageStep, { description: 'From the version back to its first ancestor.' }),
  complete: Type.Boolean({ description: 'False when `limit` ended it before the first ancestor.' }),
});
export type Lineage = Static<typeof Lineage>;

export const Release = Type.Object({
  id: ids.release,
  taskId: ids.task,
  version: ids.version,
  number: Type.Integer({ description: 'Number of the version in its task.' }),
  replaced: Nullable(ids.version),
  kind: OneOf(['promotion', 'rollback']),
  note: Type.String(),
  keyId: Nullable(ids.key),
  personId: Nullable(ids.person),
  by: Type.String({ description: 'Name of the key or of the person that did it.' }),
  createdAt: Instant,
});
export type Release = Static<typeof Release>;

const ReleaseRequest = Type.Object({ note: Type.Optional(Type.String({ maxLength: 500 })) }, closed);

export const modelEndpoints = {
  uploadModel: {
    method: 'POST',
    path: '/v1/models',
    tag: 'models',
    summary: 'Upload a model IR',
    description: 'The digest of its canonical JSON (RFC 8785) names it; the same IR again is the same model.',
    role: 'operator',
    body: Type.Unsafe<object>({ type: 'object', description: 'Unified Model IR (docs/model-ir.md).' }),
    example: {
      umir: 1,
      opset: 1,
      name: 'tiny',
      inputs: [
        { id: 'x', shape: ['B', 4] },
        { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3 },
      ],
      params: [
        { id: 'w', shape: [4, 3], init: { kind: 'uniform', fan: 4 } },
        { id: 'b', shape: [3], init: { kind: 'zeros' } },
      ],
      nodes: [{ op: 'dense', in: ['x', 'w', 'b'], out: 'logits' }],
      loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
      metrics: ['accuracy'],
    },
    answer: ModelDetail,
    status: 201,
  },
  listModels: {
    method: 'GET',
    path: '/v1/models',
    tag: 'models',
    summary: 'List models',
    role: 'viewer',
    query: PageQuery,
    answer: PageOf(ModelSummary),
  },
  getModel: {
    method: 'GET',
    path: '/v1/models/:digest',
    tag: 'models',
    summary: 'Read a model',
    role: 'viewer',
    params: { digest: Sha256Schema },
    answer: ModelDetail,
  },
  listModelTasks: {
    method: 'GET',
    path: '/v1/models/:digest/tasks',
    tag: 'models',
    summary: 'List the tasks that train a model, newest first',
    role: 'viewer',
    params: { digest: Sha256Schema },
    query: PageQuery,
    answer: PageOf(Task),
  },
  listVersions: {
    method: 'GET',
    path: '/v1/tasks/:id/versions',
    tag: 'models',
    summary: 'List the model versions of a task, newest first',
    role: 'viewer',
    params: { id: ids.task },
    query: PageQuery,
    answer: PageOf(ModelVersion),
  },
  getVersion: {
    method: 'GET',
    path: '/v1/versions/:id',
    tag: 'models',
    summary: 'Read a model version',
    role: 'viewer',
    params: { id: ids.version },
    answer: ModelVersion,
  },
  getLineage: {
    method: 'GET',
    path: '/v1/versions/:id/lineage',
    tag: 'models',
    summary: 'Read where a model version comes from',
    role: 'viewer',
    params: { id: ids.version },
    query: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200 }) }, closed),
    answer: Lineage,
  },
  promoteVersion: {
    method: 'POST',
    path: '/v1/versions/:id/promote',
    tag: 'models',
    summary: 'Serve this version to devices',
    description:
      'Devices personalise this version until another is promoted; training goes on from the newest one. Before the first promotion, devices are served the newest.',
    role: 'operator',
    params: { id: ids.version },
    body: ReleaseRequest,
    example: { note: 'best on the people held out' },
    answer: Release,
    status: 201,
  },
  rollBackTask: {
    method: 'POST',
    path: '/v1/tasks/:id/roll-back',
    tag: 'models',
    summary: 'Serve the version that was promoted before',
    role: 'operator',
    params: { id: ids.task },
    body: ReleaseRequest,
    example: { note: 'worse on old phones' },
    answer: Release,
    status: 201,
  },
  listReleases: {
    method: 'GET',
    path: '/v1/tasks/:id/releases',
    tag: 'models',
    summary: 'List promotions and rollbacks of a task, newest first',
    role: 'viewer',
    params: { id: ids.task },
    query: PageQuery,
    answer: PageOf(Release),
  },
} as const satisfies Record<string, Endpoint>;
