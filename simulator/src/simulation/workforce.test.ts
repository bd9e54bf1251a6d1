import { WeightedSum } from '@starling/aggregation';
import { describe, expect, it } from 'vitest';
import { WorkerLost, type Answers, type Crew, type Question, type RoundOrder } from './crew.ts';
import { Workforce } from './workforce.ts';

const block = { name: 'parameters', scaleBits: 8, clip: 1000, weighted: true, limbs: 1, size: 1 } as const;
const order: RoundOrder = { work: { kind: 'statistics' }, blocks: [block], maxWeight: 10 };

/** Devices hand in their number. `isLost` says after how many questions a worker is gone, and whether another comes. */
class StubCrew implements Crew {
  readonly size: number;
  readonly ready = Promise.resolve();
  readonly questions: string[] = [];
  readonly #sums: WeightedSum[] = [];
  readonly #loss: (worker: number, kind: Question['kind'], asked: number) => Promise<void> | undefined;

  constructor(
    size: number,
    loss: (worker: number, kind: Question['kind'], asked: number) => Promise<void> | undefined = () =>
      undefined,
  ) {
    this.size = size;
    this.#loss = loss;
  }

  begin({ blocks, maxWeight }: RoundOrder): void {
    for (let worker = 0; worker < this.size; worker++)
      this.#sums[worker] = new WeightedSum(blocks, { maxWeight });
  }

  async ask<Kind extends Question['kind']>(
    worker: number,
    question: Extract<Question, { kind: Kind }>,
  ): Promise<Answers[Kind]> {
    const asked = this.questions.push(question.kind);
    await Promise.resolve();
    const loss = this.#loss(worker, question.kind, asked);
    if (loss) {
      this.#sums[worker] = new WeightedSum(order.blocks, { maxWeight: order.maxWeight });
      throw new WorkerLost(worker, loss);
    }
    return this.#answer(worker, question) as Answers[Kind]; // of the question's kind
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer(worker: number, question: Question): Answers[Question['kind']] {
    const sum = this.#sums[worker]!;
    if (question.kind === 'sum') return sum.parts;
    for (const { device } of question.share.devices) sum.add({ blocks: [[device]], weight: 1 });
    return { failed: [] };
  }
}

async function summed(crew: Crew): Promise<number> {
  const workforce = new Workforce(crew);
  workforce.begin(order);
  await workforce.work(Array.from({ length: 60 }, (_, device) => ({ device, seed: 0 })));
  await workforce.work([{ device: 60, seed: 0 }]);
  return (await workforce.sum()).sum('parameters')[0]!;
}
const whole = 30 * 61;
const never = new Promise<void>(() => undefined);

describe('a workforce', () => {
  it('adds up every device once, whoever does it', async () => {
    expect(await summed(new StubCrew(1))).toBe(whole);
    expect(await summed(new StubCrew(4))).toBe(whole);
  });

  it('gives to others what a lost worker had done, whether another comes in its place or nobody', async () => {
    const gone = new StubCrew(3, (worker, _, asked) => (worker === 1 && asked > 12 ? never : undefined));
    expect(await summed(gone)).toBe(whole);
    const replaced = new StubCrew(3, (_, __, asked) => (asked % 9 === 0 ? Promise.resolve() : undefined));
    expect(await summed(replaced)).toBe(whole);
  });

  it('does again what was in the sum of a worker that is lost when it is asked for it', async () => {
    let losses = 0;
    const crew = new StubCrew(2, (worker, kind) =>
      worker === 0 && kind === 'sum' && losses++ === 0 ? Promise.resolve() : undefined,
    );
    expect(await summed(crew)).toBe(whole);
    expect(losses).toBeGreaterThan(0);
  });

  it('fails where workers go on being lost, and where nobody can take the place of one', async () => {
    await expect(summed(new StubCrew(2, () => Promise.resolve()))).rejects.toMatchObject({
      code: 'worker-lost',
    });
    const nobody = () => Promise.reject(new Error('There is no node.'));
    await expect(
      summed(new StubCrew(1, (_, __, asked) => (asked === 3 ? nobody() : undefined))),
    ).rejects.toThrow('There is no node.');
  });
});
