import { describe, expect, it } from 'vitest';
import { makeId, type LiveEvent } from '@starling/protocol';
import type { StreamedEvent } from '@starling/protocol/api';
import { Feed } from './feed.ts';

const project = makeId('project', 'P'.repeat(22));
const other = makeId('project', 'O'.repeat(22));
const actor = makeId('key', 'K'.repeat(22));
const event = (digit: number): LiveEvent => ({
  kind: 'device',
  deviceId: makeId('device', String(digit).padStart(22, '0')),
  change: 'online',
});

function follow(feed: Feed, after?: string, session?: string) {
  const heard: StreamedEvent[] = [];
  let ended = 0;
  const follower = { actor, session, hear: (each: StreamedEvent) => heard.push(each), end: () => ended++ };
  const stop = feed.follow(project, follower, after);
  return { heard, stop, ended: () => ended };
}

describe('the feed of live events', () => {
  it('hands events to the followers of their project only', () => {
    const feed = new Feed('life');
    const { heard, stop } = follow(feed);
    feed.publish(project, event(1));
    feed.publish(other, event(2));
    stop();
    feed.publish(project, event(3));
    expect(heard).toEqual([{ id: 'life-1', kind: 'event', event: event(1) }]);
  });

  it('goes on after any event that is kept: none lost, none twice', () => {
    const feed = new Feed('life');
    for (let index = 1; index <= 20; index++) feed.publish(project, event(index));
    for (let after = 0; after <= 20; after++) {
      const { heard, stop } = follow(feed, `life-${after}`);
      expect(heard.map(({ id }) => id)).toEqual(
        Array.from({ length: 20 - after }, (_, index) => `life-${after + 1 + index}`),
      );
      stop();
    }
  });

  it('admits a gap, and says where it now is', () => {
    const feed = new Feed('life');
    for (let index = 1; index <= 1002; index++) feed.publish(project, event(index));
    const gap = (reason: string) => [{ id: 'life-1002', kind: 'gap', reason }];
    expect(follow(feed, 'life-1').heard).toEqual(gap('too-old'));
    expect(follow(feed, 'life-2').heard).toHaveLength(1000);
    for (const unknown of ['before-5', 'life-1003', 'life-x', 'life', '']) {
      expect(follow(feed, unknown).heard).toEqual(gap('server-restarted'));
    }
  });

  it('ends the followers of a key, and those of one of its sessions', () => {
    const feed = new Feed('life');
    const mine = follow(feed);
    const inBrowser = follow(feed, undefined, 'session');
    feed.end(makeId('key', 'X'.repeat(22)));
    feed.end('another session');
    expect([mine.ended(), inBrowser.ended()]).toEqual([0, 0]);
    feed.end('session');
    expect([mine.ended(), inBrowser.ended()]).toEqual([0, 1]);
    feed.end(actor);
    expect([mine.ended(), inBrowser.ended()]).toEqual([1, 2]);
  });
});
