import { makeId } from '@starling/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { Logbook } from './logbook.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { MemoryStorage } from './testing/memory-storage.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';

const hourMs = 3_600_000;
const group = (letter: string) => makeId('group', letter.repeat(22));
const work = (letter: string) => tinyAssignment({}, letter);

let storage: MemoryStorage;
let nowMs: number;
let book: Logbook;
const open = () => {
  const clock = Object.assign(new ManualClock(), { wallMs: () => nowMs });
  return new Logbook({ storage, clock });
};

beforeEach(() => {
  storage = new MemoryStorage();
  nowMs = 1e12;
  book = open();
});

/** One assignment after another, each to its end; the device starts again after each. */
async function takePart(letters: string, end: 'contributed' | 'aborted' | 'undrawn'): Promise<void> {
  for (const letter of letters) {
    const assignment = work(letter);
    await book.agree(assignment);
    await book.join(assignment.id, group(letter));
    if (end !== 'undrawn') await book.drawn(assignment.id);
    if (end === 'contributed') await book.contributed(assignment.id);
    book = open();
  }
}

describe('the logbook', () => {
  it('holds an assignment to what was agreed to, over a restart', async () => {
    const agreed = work('a');
    await book.agree(agreed);
    book = open();
    await book.check({ ...agreed, state: 'grouped', remainingMs: 1 });
    await book.agree(agreed); // offered again
    for (const change of [
      { maxWeight: 1 },
      { model: { ...agreed.model, weights: '0'.repeat(64) } },
      { blocks: agreed.blocks.slice(1) },
      { work: { kind: 'statistics' } as const },
    ]) {
      const changed = { ...agreed, ...change };
      await expect(book.check(changed)).rejects.toMatchObject({ code: 'work-changed' });
      await expect(book.agree(changed)).rejects.toMatchObject({ code: 'work-changed' });
    }
    await expect(book.check(work('b'))).rejects.toMatchObject({ code: 'not-agreed' });
  });

  it('refuses a second assignment in a round, and takes the first one again', async () => {
    await book.agree(work('a'));
    book = open();
    expect(await book.limitReached(work('a'), {})).toBeUndefined();
    expect(await book.limitReached({ ...work('b'), roundId: work('a').roundId }, {})).toBe('second-in-round');
    expect(await book.limitReached(work('b'), {})).toBeUndefined();
  });

  it('lets an update into one group only, and into that once', async () => {
    const { id } = work('a');
    await book.agree(work('a'));
    await book.join(id, group('a'));
    book = open();
    await expect(book.join(id, group('b'))).rejects.toMatchObject({ code: 'second-group' });
    await expect(book.join(id, group('a'))).rejects.toMatchObject({ code: 'group-state-lost' });
  });

  it('counts drawn graphs without a sum for a day, and no other groups', async () => {
    await takePart('abc', 'contributed');
    await takePart('ghi', 'undrawn');
    await takePart('de', 'aborted');
    expect(await book.limitReached(work('f'), { abortedGroupsADay: 3 })).toBeUndefined();
    expect(await book.limitReached(work('f'), { abortedGroupsADay: 2 })).toBe('too-many-aborts');
    nowMs += 24 * hourMs;
    expect(await book.limitReached(work('f'), { abortedGroupsADay: 2 })).toBeUndefined();
  });

  it('bears 64 of them unless told otherwise', async () => {
    const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
    await takePart(letters.slice(0, 63).join(''), 'aborted');
    const other = 'ab'.repeat(11);
    const offer = { id: makeId('assignment', other), roundId: makeId('round', other) };
    expect(await book.limitReached(offer, {})).toBeUndefined();
    await takePart(letters[63]!, 'aborted');
    expect(await book.limitReached(offer, {})).toBe('too-many-aborts');
  });

  it('counts contributions for a day', async () => {
    await takePart('abc', 'contributed');
    expect(await book.limitReached(work('f'), { contributionsADay: 4 })).toBeUndefined();
    expect(await book.limitReached(work('f'), { contributionsADay: 3 })).toBe('too-many-contributions');
    nowMs += 24 * hourMs;
    expect(await book.limitReached(work('f'), { contributionsADay: 3 })).toBeUndefined();
  });

  it('knows after a restart when the device last contributed', async () => {
    expect(await book.sinceContributionMs()).toBeUndefined();
    await takePart('a', 'contributed');
    nowMs += hourMs;
    await takePart('b', 'aborted');
    expect(await book.sinceContributionMs()).toBe(hourMs);
  });

  it('is not held for years by a clock that was wrong', async () => {
    nowMs += 10 * 365 * 24 * hourMs;
    await takePart('a', 'contributed');
    nowMs -= 10 * 365 * 24 * hourMs;
    book = open();
    expect(await book.sinceContributionMs()).toBe(0);
    await takePart('b', 'aborted'); // it is written as it is read: the wrong time is gone
    nowMs += 5 * hourMs;
    expect(await open().sinceContributionMs()).toBe(5 * hourMs);
  });

  it('forgets after a week, and does not grow beyond its bound', async () => {
    await takePart('a', 'contributed');
    nowMs += 8 * 24 * hourMs;
    await takePart('b', 'aborted');
    const text = () => new TextDecoder().decode(storage.values.get('logbook'));
    expect(text()).not.toContain(work('a').id);
    for (let number = 0; number < 1_100; number++) {
      const name = String(number).padStart(22, '0');
      await book.agree(tinyAssignment({ id: makeId('assignment', name), roundId: makeId('round', name) }));
    }
    expect((JSON.parse(text()) as unknown[]).length).toBe(1_024);
    expect(text()).toContain(makeId('assignment', '1099'.padStart(22, '0')));
  });
});
