import { WeightedSum } from '@starling/aggregation';
import { batchOf, contribute, handIn, type HandedIn } from '@starling/client-sdk/work';
import {
  compile,
  layoutOf,
  parseModel,
  trustedBackend,
  type Model,
  type Params,
  type Program,
} from '@starling/model';
import type { Answers, CrewOrder, Question, RoundOrder, Share } from './crew.ts';
import { openPopulation, type Population } from './population.ts';

/** Contributions that are folded at once: together they take less time than one by one. */
const mostWaiting = 8;

/** Does the work of virtual devices, one after another, and adds their contributions up. */
export class DeviceWorker {
  readonly #model: Model;
  readonly #params: Params;
  readonly #population: Population;
  readonly #programs = new Map<number, Program>();
  #round: { readonly order: RoundOrder; readonly sum: WeightedSum } | undefined;
  #waiting: HandedIn[] = [];

  /** Takes the parameters from the memory that it is given. */
  constructor({ ir, population, learnedRates, values }: CrewOrder) {
    this.#model = parseModel(ir);
    this.#params = { layout: layoutOf(this.#model, { learnedRates }), values };
    this.#population = openPopulation(population);
  }

  begin(order: RoundOrder): void {
    this.#round = { order, sum: new WeightedSum(order.blocks, { maxWeight: order.maxWeight }) };
    this.#waiting = [];
  }

  answer(question: Question): Answers[Question['kind']] {
    if (!this.#round) throw new TypeError('A question belongs to a round.');
    if (question.kind === 'share') return { failed: this.#work(this.#round.order, question.share) };
    this.#fold();
    return this.#round.sum.parts;
  }

  #work(order: RoundOrder, { devices }: Share): [number, string][] {
    const failed: [number, string][] = [];
    const program = this.#programFor(batchOf(order.work));
    for (const { device, seed } of devices) {
      const assignment = { ...order, seed };
      try {
        const contribution = contribute(
          program,
          this.#params,
          assignment,
          this.#population.examplesOf(device),
        );
        this.#waiting.push(handIn(assignment, contribution));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
        if (code === undefined) throw error;
        failed.push([device, code]);
      }
      if (this.#waiting.length >= mostWaiting) this.#fold();
    }
    return failed;
  }

  #programFor(batch: number): Program {
    let program = this.#programs.get(batch);
    if (!program)
      this.#programs.set(batch, (program = compile(this.#model, { batch, backend: trustedBackend() })));
    return program;
  }

  #fold(): void {
    this.#round?.sum.addAll(this.#waiting);
    this.#waiting = [];
  }
}
