import type { EnrolmentToken, ModelDetail, Plan, Task, TaskRequest } from '@starling/protocol';
import { ProblemError } from '@starling/protocol';

/** A model of 15 weights: 4 inputs, 3 classes. */
export const tinyModel = {
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
};

/** Number of learnable weights of {@link tinyModel}. */
export const tinySize = 15;

export function tinyPlan(changes: Partial<Plan> = {}): Plan {
  return {
    learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.1 },
    optimiser: { kind: 'sgd', rate: 1 },
    rounds: 1,
    cohort: { goal: 3, minimum: 3, overSelection: 1 },
    windows: { selectingMs: 60_000, trainingMs: 60_000, aggregatingMs: 60_000 },
    adaptation: { steps: 1, rate: 0.1 },
    maxWeight: 4096,
    seed: 1,
    ...changes,
  };
}

/** The admin API, as tests use it: status and body as they come. */
export class Admin {
  readonly url: string;
  readonly key: string;
  readonly project: string | undefined;

  /** `project`: where a `server` key acts, other than in its own. */
  constructor(url: string, key: string, project?: string) {
    this.url = url;
    this.key = key;
    this.project = project;
  }

  async call(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: unknown; headers: Headers }> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(this.project === undefined ? {} : { 'starling-project': this.project }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json(), headers: answer.headers };
  }

  async get<T>(path: string): Promise<T> {
    const { status, body } = await this.call('GET', path);
    if (status >= 400) throw ProblemError.from(body, status);
    return body as T;
  }

  async post<T>(path: string, request?: unknown): Promise<T> {
    const { status, body } = await this.call('POST', path, request);
    if (status >= 400) throw ProblemError.from(body, status);
    return body as T;
  }

  async enrolmentToken(labels: Record<string, string> = {}): Promise<string> {
    return (await this.post<EnrolmentToken & { token: string }>('/v1/enrolment-tokens', { labels })).token;
  }

  /** A draft task on {@link tinyModel}, or one like it under another name. */
  async tinyTask(changes: Partial<Plan> = {}, name = tinyModel.name): Promise<Task> {
    const model = await this.post<ModelDetail>('/v1/models', { ...tinyModel, name });
    const request: TaskRequest = { name, model: model.digest, plan: tinyPlan(changes) };
    return this.post<Task>('/v1/tasks', request);
  }
}

/** Waits until `probe` gives something; fails with `what` after a deadline. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  deadlineMs = 20_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
