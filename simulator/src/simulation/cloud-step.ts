/** Steps in the cloud of a hybrid plan, taken here: by the code that the embedded program of jobs runs (docs/cloud.md). */
import type { Examples, Model, Params } from '@starling/model';
import type { Plan } from '@starling/protocol';
import { examplesOf } from '../data/examples.ts';
import type { Pack } from '../data/fedpack.ts';
import { PackError } from '../data/pack-error.ts';
import { JobRefused, readWarmStart, type WarmStart } from '../jobs/job.ts';
import { warmStart } from '../jobs/warm-start.ts';
import { SimulationRefused } from './refused.ts';
import type { CloudStepReport } from './report.ts';

export class CloudSteps {
  readonly #model: Model;
  readonly #seed: number;
  readonly #settings: WarmStart;
  readonly #people: ReadonlyMap<string, Examples>;

  /** @throws SimulationRefused For a step that our own engine does not take, or whose data set is not given. */
  constructor(
    { work }: NonNullable<Plan['hybrid']>,
    model: Model,
    dataSets: ReadonlyMap<string, Pack> | undefined,
  ) {
    const { kind, framework, device, workers, data, users, seed, training } = work;
    if (kind !== 'warm-start' || framework !== 'embedded' || device !== 'cpu' || workers !== 1)
      throw new SimulationRefused(
        'simulation-unsupported',
        `plan.hybrid.work is a ${kind} of ${framework} with ${workers} workers on ${device}; a simulation takes a warm-start of embedded, with one worker on cpu.`,
      );
    const pack = dataSets?.get(data);
    if (!pack)
      throw new SimulationRefused(
        'simulation-invalid',
        `plan.hybrid.work learns from the data set "${data}", and there is none of that name. Give it (--data-set ${data}=DIR).`,
      );
    this.#model = model;
    this.#seed = seed;
    try {
      this.#settings = readWarmStart(training);
      const names = users ?? pack.users.map(({ id }) => id);
      this.#people = new Map(names.map((name) => [name, examplesOf(pack, name)]));
    } catch (error) {
      if (!(error instanceof JobRefused || error instanceof PackError)) throw error;
      throw new SimulationRefused('simulation-invalid', `plan.hybrid.work: ${error.message}`);
    }
  }

  /** @throws SimulationRefused `simulation-step-failed` Where a server would pause the task. */
  async take(
    params: Params,
    after: number,
  ): Promise<{ readonly values: Float32Array; readonly metrics: CloudStepReport['metrics'] }> {
    const failed = (why: string) =>
      new SimulationRefused(
        'simulation-step-failed',
        `The step in the cloud after training round ${after} failed, where a server would pause the task: ${why}`,
      );
    let last = {};
    let values: Float32Array;
    try {
      const hooks = {
        seed: this.#seed,
        onRound: (report: object) => {
          last = report;
        },
        keep: () => Promise.resolve(),
      };
      ({ values } = await warmStart(this.#model, params, this.#people, this.#settings, hooks));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      throw failed(`${String(error.code)}: ${error.message}`);
    }
    if (!values.every(Number.isFinite)) throw failed('a weight is not finite.');
    return { values, metrics: { ...last, people: this.#people.size } };
  }
}
