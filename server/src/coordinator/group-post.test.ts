import { ProblemError, type DeviceId, type GroupId } from '@starling/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GroupPost, type GroupDesk, type GroupRequest, type Letter } from './group-post.ts';

const request: GroupRequest = {
  kind: 'mail',
  deviceId: 'dev_asked' as DeviceId, // a test's own
  groupId: 'grp_one' as GroupId,
};
const mail = { state: 'keys', messages: ['AQID'] } as unknown as Awaited<ReturnType<GroupDesk['answer']>>; // as it passes by

/** Nodes whose letters reach each other, unless they are lost, and a table that names who holds the group. */
class Town {
  holder: { node: string; dead: boolean } | undefined;
  isLossy = false;
  readonly letters: Letter[] = [];
  readonly #posts = new Map<string, GroupPost>();

  node(id: string, desk: Partial<GroupDesk> = {}): GroupPost {
    const post = new GroupPost({
      database: { query: <R extends object>() => Promise.resolve((this.holder ? [this.holder] : []) as R[]) },
      nodes: { id },
      groups: { get: () => undefined },
      line: {
        send: (to, letter) => {
          const read = JSON.parse(JSON.stringify(letter)) as Letter; // as it travels
          this.letters.push(read);
          if (!this.isLossy) this.#posts.get(to)?.receive(read);
        },
      },
      log: { error: () => undefined },
    });
    post.open({
      answer: () => Promise.reject(new Error(`${id} was not to answer`)),
      abandon: () => Promise.reject(new Error(`${id} was not to abandon`)),
      ...desk,
    });
    this.#posts.set(id, post);
    return post;
  }
}

describe('a request to a secure group', () => {
  let town: Town;
  beforeEach(() => {
    vi.useFakeTimers();
    town = new Town();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is answered where it is asked while nobody holds the group', async () => {
    const here = town.node('here', { answer: () => Promise.resolve(mail) });
    expect(await here.ask(request)).toEqual(mail);
    expect(town.letters).toEqual([]);
  });

  it('is handed to the holder with the device that was authenticated, and gets its answer', async () => {
    town.holder = { node: 'holder', dead: false };
    const heard: GroupRequest[] = [];
    town.node('holder', {
      answer: (asked) => {
        heard.push(asked);
        return Promise.resolve(mail);
      },
    });
    expect(await town.node('here').ask(request)).toEqual(mail);
    expect(heard).toEqual([request]);
  });

  it('fails as it failed at the holder', async () => {
    town.holder = { node: 'holder', dead: false };
    const problem = new ProblemError('group-message-refused', 'Too late.', { refusal: 'late' });
    town.node('holder', { answer: () => Promise.reject(problem) });
    await expect(town.node('here').ask(request)).rejects.toMatchObject({
      code: 'group-message-refused',
      message: 'Too late.',
      extra: { refusal: 'late' },
    });
  });

  it('may be said again when the holder fails unforeseen', async () => {
    town.holder = { node: 'holder', dead: false };
    town.node('holder', { answer: () => Promise.reject(new TypeError('secret detail')) });
    const asked = town.node('here').ask(request);
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
    await expect(asked).rejects.not.toThrow(/secret/);
  });

  it('may be said again when the holder lives and does not answer in time', async () => {
    town.holder = { node: 'holder', dead: false };
    town.isLossy = true;
    town.node('holder');
    const asked = expect(town.node('here').ask(request)).rejects.toMatchObject({ code: 'unavailable' });
    await vi.advanceTimersByTimeAsync(10_000);
    await asked;
    expect(town.letters).toHaveLength(1);
  });

  it('abandons a group whose holder dies before it answers, and is answered where it was asked', async () => {
    town.holder = { node: 'holder', dead: false };
    town.isLossy = true;
    const abandoned: GroupId[] = [];
    const here = town.node('here', {
      answer: () => Promise.resolve(mail),
      abandon: (id) => {
        abandoned.push(id);
        return Promise.resolve();
      },
    });
    const asked = here.ask(request);
    await vi.advanceTimersByTimeAsync(100);
    town.holder = { node: 'holder', dead: true };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toEqual(mail);
    expect(abandoned).toEqual([request.groupId]);
  });
});
