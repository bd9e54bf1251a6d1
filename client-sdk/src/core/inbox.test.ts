import { assignmentTransitions, type Assignment, type AssignmentState } from '@starling/protocol';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { comesAfter } from './assignment-steps.ts';
import { Inbox } from './inbox.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';

const states = Object.keys(assignmentTransitions) as AssignmentState[];
const at = (state: AssignmentState, letter = 'a'): Assignment => tinyAssignment({ state }, letter);

let news: AssignmentState[];
let inbox: Inbox;
beforeEach(() => {
  news = [];
  inbox = new Inbox(({ state }) => news.push(state));
});

describe('Inbox', () => {
  it('holds an offer until it is taken', () => {
    inbox.hear(at('offered'));
    expect(inbox.hasNext).toBe(true);
    expect(inbox.take()?.state).toBe('offered');
    expect(inbox.hasNext).toBe(false);
    expect(inbox.take()).toBeUndefined();
  });

  it('takes up an assignment wherever it stands, if it is live', () => {
    inbox.hear(at('grouped'));
    expect(inbox.take()?.state).toBe('grouped');
    inbox.release();
    inbox.hear(at('uploaded', 'b'));
    expect(inbox.hasNext).toBe(false);
  });

  it('forgets an offer that is dropped before it was taken', () => {
    inbox.hear(at('offered'));
    inbox.hear(at('dropped'));
    expect(inbox.take()).toBeUndefined();
  });

  it('does not take what is over a second time', () => {
    inbox.hear(at('offered'));
    inbox.take();
    inbox.release();
    inbox.hear(at('offered'));
    expect(inbox.hasNext).toBe(false);
  });

  it('takes what the server names when it no longer names the one in hand as a drop', () => {
    inbox.hear(at('offered'));
    const asked = inbox.take()!.id;
    inbox.hearNothingOf(asked);
    expect(inbox.inHand?.state).toBe('dropped');
  });

  it('leaves one alone that may be uploading when the server stops naming it', () => {
    inbox.hear(at('grouped'));
    const asked = inbox.take()!.id;
    inbox.hearNothingOf(asked);
    expect(inbox.inHand?.state).toBe('grouped');
  });

  it('ignores an answer to a question about another assignment', () => {
    const other = at('offered', 'b').id;
    inbox.hear(at('offered'));
    inbox.take();
    inbox.hearNothingOf(other);
    expect(inbox.inHand?.state).toBe('offered');
  });

  it('only ever moves forward, in whatever order and however often it hears', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...states), { maxLength: 20 }), (heard) => {
        const told: AssignmentState[] = [];
        const box = new Inbox(({ state }) => told.push(state));
        box.hear(at('offered'));
        box.take();
        for (const state of heard) box.hear(at(state));
        for (const [i, state] of told.slice(1).entries()) expect(comesAfter(state, told[i]!)).toBe(true);
        for (const state of heard) expect(comesAfter(state, box.inHand!.state)).toBe(false);
      }),
    );
  });
});
