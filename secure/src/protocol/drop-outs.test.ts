import { describe, expect, it } from 'vitest';
import { castOf, openSum, phase, plainSum, start, type Cast, type Moment } from '../testing/group.ts';
import { seededBytes } from '../testing/toy-crypto.ts';

interface Tally {
  summed: number;
  aborted: number;
}

/** Exact, or nothing. */
function judge(cast: Cast, moment: Moment, tally: Tally): void {
  const { server } = moment;
  if (server.phase === 'aborted') {
    tally.aborted++;
    return;
  }
  const { sum, counted } = openSum(cast, server);
  expect(sum).toEqual(plainSum(cast, counted));
  expect(counted.length).toBeGreaterThanOrEqual(cast.terms.minimum);
  tally.summed++;
}

/**
 * Patterns of a complete group that leave enough devices in every phase, counted by how many are left: members, those
 * that shared, uploaded, signed and answered.
 */
function patternsThatSuffice(size: number): number {
  let count = 0;
  for (let members = 3; members <= size; members++) {
    const threshold = Math.floor((2 * (members - 1)) / 3) + 1;
    const twoThirds = Math.max(3, Math.ceil((2 * members) / 3));
    for (let shared = Math.max(twoThirds, threshold + 1); shared <= members; shared++) {
      for (let uploaded = Math.max(twoThirds, threshold + 1); uploaded <= shared; uploaded++) {
        for (let signed = Math.ceil((2 * members) / 3); signed <= uploaded; signed++) {
          // One that answers holds no share of its own.
          for (let answered = threshold + 1; answered <= signed; answered++) {
            count +=
              choose(size, members) *
              choose(members, shared) *
              choose(shared, uploaded) *
              choose(uploaded, signed) *
              choose(signed, answered);
          }
        }
      }
    }
  }
  return count;
}

function choose(n: number, k: number): number {
  return k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
}

const isOver = ({ server }: Moment) => server.phase === 'summed' || server.phase === 'aborted';

/** Every choice of who falls silent in every phase: the machines are pure, so a prefix is run once. */
async function everyPattern(cast: Cast, moment: Moment, tally: Tally): Promise<void> {
  if (isOver(moment)) {
    judge(cast, moment, tally);
    return;
  }
  for (let silent = 0; silent < 2 ** moment.alive.length; silent++) {
    const speaking = moment.alive.filter((_, at) => ((silent >>> at) & 1) === 0);
    await everyPattern(cast, await phase(cast, moment, speaking), tally);
  }
}

/** Every number of devices that fall silent in every phase; who they are is drawn. */
async function everyNumber(cast: Cast, moment: Moment, random: () => number, tally: Tally): Promise<void> {
  if (isOver(moment)) {
    judge(cast, moment, tally);
    return;
  }
  for (let left = 0; left <= moment.alive.length; left++) {
    const speaking = shuffled(moment.alive, random).slice(0, left);
    await everyNumber(cast, await phase(cast, moment, speaking), random, tally);
  }
}

/** Each device falls silent in each phase with this probability. */
async function randomPattern(
  cast: Cast,
  dropOut: number,
  random: () => number,
  tally: Tally,
  /** Phases without drop-outs. */
  faithful: readonly string[] = [],
): Promise<void> {
  let moment = await start(cast);
  while (!isOver(moment)) {
    const chance = faithful.includes(moment.server.phase) ? 0 : dropOut;
    const speaking = moment.alive.filter(() => random() >= chance);
    moment = await phase(cast, moment, shuffled(speaking, random));
  }
  judge(cast, moment, tally);
}

function shuffled(list: readonly number[], random: () => number): number[] {
  return list
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

function drawsOf(name: string): () => number {
  const bytes = seededBytes(name);
  return () => new DataView(bytes(4).slice().buffer).getUint32(0) / 2 ** 32;
}

describe('a sum under drop-outs', () => {
  it.each([3, 4, 5, 6])(
    'is exact or aborted for every pattern of %i devices in every phase',
    async (size) => {
      const cast = castOf({ size });
      const tally = { summed: 0, aborted: 0 };
      await everyPattern(cast, await start(cast), tally);
      expect(tally.summed).toBe(patternsThatSuffice(size));
      expect(tally.aborted).toBeGreaterThan(tally.summed);
    },
  );

  it.each([7, 8])('is exact or aborted for every number of %i devices in every phase', async (size) => {
    const cast = castOf({ size });
    const tally = { summed: 0, aborted: 0 };
    await everyNumber(cast, await start(cast), drawsOf(`${size}`), tally);
    expect(tally.summed).toBeGreaterThan(5);
    expect(tally.aborted).toBeGreaterThan(tally.summed);
  });

  it.each([
    [0.05, 'summed'],
    [0.1, 'summed'],
    [0.3, 'summed or aborted'],
    [0.5, 'aborted'],
  ])(
    'of 100 devices over a drawn graph is exact or aborted when %f of them drop out',
    { timeout: 60_000 },
    async (all, expected) => {
      const bounds = { corruptPermille: 50, dropOutPermille: 300, privacyBits: 10, correctnessBits: 10 };
      const cast = castOf({ size: 100, terms: { ...bounds, ring: 16 } });
      const tally = { summed: 0, aborted: 0 };
      // In four phases, shares to unmasking; a nonce that is missing ends a drawn group (below).
      await randomPattern(cast, 1 - (1 - all) ** (1 / 4), drawsOf(`100 ${all}`), tally, ['keys', 'reveals']);
      if (!expected.includes('or')) expect(tally).toMatchObject({ [expected]: 1 });
      expect(tally.summed + tally.aborted).toBe(1);
    },
  );

  it.each([
    [20, 0.02],
    [20, 0.08],
    [40, 0.02],
    [40, 0.06],
    [40, 0.12],
  ])('is exact or aborted for random patterns of %i devices, %f in each phase', async (size, dropOut) => {
    const cast = castOf({ size, terms: { ring: size === 20 ? 16 : 32 } });
    const random = drawsOf(`${size} ${dropOut}`);
    const tally = { summed: 0, aborted: 0 };
    for (let run = 0; run < 5; run++) await randomPattern(cast, dropOut, random, tally);
    expect(tally.summed + tally.aborted).toBe(5);
    if (dropOut <= 0.06) expect(tally.summed).toBeGreaterThan(0);
  });

  it('is exact over a graph of few neighbours, of 100 devices', { timeout: 60_000 }, async () => {
    // Weak bounds give a small degree; what is tested is the sum.
    const bounds = { corruptPermille: 50, dropOutPermille: 50, privacyBits: 10, correctnessBits: 10 };
    const cast = castOf({ size: 100, terms: bounds });
    const random = drawsOf('sparse');
    let moment = await start(cast);
    const silentIn: Record<string, number> = { shares: 1, uploads: 3, signing: 1, unmasking: 1 };
    while (!isOver(moment)) {
      const speaking = shuffled(moment.alive, random).slice(silentIn[moment.server.phase] ?? 0);
      if (moment.server.phase === 'shares') {
        expect(moment.server.graph.every((neighbours) => neighbours.length < 20)).toBe(true);
      }
      moment = await phase(cast, moment, speaking);
    }
    const { sum, counted } = openSum(cast, moment.server);
    expect(counted).toHaveLength(96);
    expect(sum).toEqual(plainSum(cast, counted));
  });

  it('is not begun where a nonce of a drawn graph is missing', { timeout: 60_000 }, async () => {
    const bounds = { corruptPermille: 50, dropOutPermille: 50, privacyBits: 10, correctnessBits: 10 };
    const cast = castOf({ size: 70, terms: bounds });
    const opened = await start(cast);
    const frozen = await phase(cast, opened, opened.alive);
    expect(frozen.server.phase).toBe('reveals');
    const after = await phase(cast, frozen, frozen.alive.slice(1));
    expect(after.server).toMatchObject({ phase: 'aborted', reason: 'nonce-missing' });
    expect(after.clients.slice(1).every((state) => state?.phase === 'ended')).toBe(true);
  });
});
