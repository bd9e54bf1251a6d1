import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import type { Plan, ProjectId } from '@starling/protocol';
import type { ForecastOrder } from '@starling/server';
import { beforeAll, describe, expect, it } from 'vitest';
import { idealFleet } from './fleet-model.ts';
import { forecastThreads } from './forecast-threads.ts';
import { forecast } from './forecast.ts';

const minuteMs = 60_000;
const plan: Plan = {
  learning: { algorithm: 'fedavg', epochs: 1, batchSize: 8, rate: 0.2 },
  optimiser: { kind: 'sgd', rate: 1 },
  rounds: 6,
  cohort: { goal: 10, minimum: 5, overSelection: 1.3 },
  windows: { selectingMs: 30 * minuteMs, trainingMs: minuteMs, aggregatingMs: minuteMs },
  evaluation: { everyRounds: 3, spec: { goal: 8, minimum: 3, supportShares: [0.5], steps: [1], rate: 0.2 } },
  adaptation: { steps: 5, rate: 0.2 },
  maxWeight: 4096,
  seed: 3,
};

async function zoo(name: string): Promise<unknown> {
  const path = fileURLToPath(import.meta.resolve(`@starling/model/zoo/${name}.json`));
  return JSON.parse(await readFile(path, 'utf8'));
}

let ir: unknown;
beforeAll(async () => {
  ir = await zoo('har-mlp');
});
const order = (changes: Partial<ForecastOrder> = {}): ForecastOrder => ({
  ...{ projectId: 'prj_one' as ProjectId, ir, plan, devices: 200, rows: 50, seed: 4, fleet: undefined },
  ...changes,
});

describe('a forecast', () => {
  it('plays every round of a short plan, and says what it assumed', async () => {
    const { rounds, counted, course, assumed, virtualMs, outcome } = await forecast(order());
    expect(outcome).toBe('completed');
    expect(rounds).toMatchObject({ planned: 6, played: 6 });
    expect(rounds.published).toBe(8); // two of them judge
    expect(counted).toBeGreaterThanOrEqual(6 * 5 + 2 * 3);
    expect(course.map(({ published }) => published)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(course.at(-1)!.atMs).toBeLessThanOrEqual(virtualMs);
    expect(assumed).toMatchObject({ devices: 200, rows: 50, seed: 4, fleet: { name: 'phones at night' } });
  });

  it('is the same for the same order, and another for other devices', async () => {
    expect(await forecast(order())).toEqual(await forecast(order()));
    const ideal = await forecast(order({ fleet: 'ideal' }));
    expect(ideal.assumed.fleet).toEqual(idealFleet);
    expect(ideal.virtualMs).toBeLessThan((await forecast(order())).virtualMs);
  });

  it('takes the rest of a long plan to be like its first rounds', async () => {
    const training = { ...plan };
    delete training.evaluation;
    const long = order({ plan: { ...training, rounds: 40 }, fleet: 'ideal' });
    const part = await forecast(long, 20 * 200);
    const played = await forecast({ ...long, plan: { ...training, rounds: 20 } });
    expect(part.rounds).toMatchObject({ planned: 40, played: 20, published: 20 });
    expect(part.counted).toBe(2 * played.counted);
    expect(part.bytesUp).toBe(2 * played.bytesUp);
    expect(part.virtualMs).toBe(2 * played.virtualMs);
    expect(part.course).toEqual(played.course);
  });

  it('gives at most 200 points of its course, the last round among them', async () => {
    const training = { ...plan, rounds: 450 };
    delete training.evaluation;
    const { course } = await forecast(order({ plan: training, devices: 20, fleet: 'ideal' }));
    expect(course.length).toBeLessThanOrEqual(200);
    expect(course.at(-1)?.published).toBe(450);
  });

  it('says that a plan comes to no end, and scales nothing', async () => {
    const fleet = { ...idealFleet, classes: idealFleet.classes.map((each) => ({ ...each, dropOut: 1 })) };
    const stalled = await forecast(order({ devices: 20, fleet }));
    expect(stalled).toMatchObject({
      outcome: 'stalled',
      rounds: { published: 0, abandoned: 50 },
      counted: 0,
      course: [],
    });
  });

  it('is not made of a model whose weights would fill the server', async () => {
    const huge = {
      ...{ umir: 1, opset: 1, name: 'huge' },
      inputs: [
        { id: 'x', shape: ['B', 4_000] },
        { id: 'y', shape: ['B'], dtype: 'i32', role: 'label', classes: 3_000 },
      ],
      params: [{ id: 'w', shape: [4_000, 3_000], init: { kind: 'zeros' } }],
      nodes: [{ op: 'dense', in: ['x', 'w'], out: 'logits' }],
      loss: { op: 'softmaxCrossEntropy', in: ['logits', 'y'] },
    };
    await expect(forecast(order({ ir: huge }))).rejects.toThrow('The model has 12000000 weights');
  });

  it('is there for models whose data nobody makes up', async () => {
    const { outcome } = await forecast(order({ ir: await zoo('char-lstm'), fleet: 'ideal' }));
    expect(outcome).toBe('completed');
  });
});

describe('forecasts of a server', { timeout: 60_000 }, () => {
  it('are worked out beside it, one after another', async () => {
    const threads = forecastThreads();
    const ask = (wanted: ForecastOrder) => threads.forecast(wanted);
    const [one, other] = await Promise.all([ask(order()), ask(order({ seed: 5 }))]);
    expect(one).toEqual(await forecast(order()));
    expect(other.assumed.seed).toBe(5);
  });

  it('refuse in words what cannot be played, and go on', async () => {
    const threads = forecastThreads();
    const ask = (wanted: ForecastOrder) => threads.forecast(wanted);
    const never = { ...idealFleet, availability: new Array<number>(24).fill(0) };
    await expect(ask(order({ fleet: never }))).rejects.toMatchObject({
      code: 'forecast-refused',
      message: expect.stringContaining('never available') as string,
    });
    expect((await ask(order())).outcome).toBe('completed');
  });

  it('give up what takes too long, and refuse when many wait', async () => {
    const threads = forecastThreads({ limitMs: 1 });
    const ask = (wanted: ForecastOrder) => threads.forecast(wanted);
    const asked = await Promise.allSettled(
      Array.from({ length: 12 }, (_, place) => ask(order({ projectId: `prj_${place}` as ProjectId }))),
    );
    const codes = asked.map((each) => each.status === 'rejected' && (each.reason as { code?: string }).code);
    expect(codes.slice(0, 9)).toEqual(new Array(9).fill('forecast-refused'));
    expect(codes.slice(9)).toEqual(new Array(3).fill('rate-limited'));
  });

  it('of one project do not take the turn of another', async () => {
    const threads = forecastThreads();
    const ask = (projectId: string) => threads.forecast(order({ projectId: projectId as ProjectId }));
    const greedy = Array.from({ length: 4 }, () => ask('prj_greedy'));
    const [other, ...theirs] = await Promise.allSettled([ask('prj_other'), ...greedy]);
    expect(other.status).toBe('fulfilled');
    expect(theirs.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect((await ask('prj_greedy')).outcome).toBe('completed'); // its turns are free again
  });

  it('end with their thread when nobody waits any more, and free the turn of those who wait', async () => {
    const threads = forecastThreads();
    const gone = new AbortController();
    const started = once(process, 'worker');
    const long = order({ devices: 100_000, plan: { ...plan, rounds: 20 } });
    const asked = [long, order()].map((wanted) => threads.forecast(wanted, gone.signal));
    const [thread] = (await started) as [Worker];
    const ended = once(thread, 'exit');
    gone.abort();
    for (const each of await Promise.allSettled(asked)) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'forecast-refused' } });
    }
    expect((await threads.forecast(order())).outcome).toBe('completed'); // a third of the project at once
    await ended;
  });
});
