import { assignmentTransitions, type AssignmentState } from '@starling/protocol';
import { describe, expect, it } from 'vitest';
import { comesAfter, nextStep } from './assignment-steps.ts';

const states = Object.keys(assignmentTransitions) as AssignmentState[];

describe('nextStep', () => {
  it.each([
    ['offered', false, 'decide'],
    ['accepted', false, 'begin'],
    ['training', false, 'train'],
    ['training', true, 'announce'],
    ['ready', true, 'await-group'],
    ['grouped', true, 'upload'],
    ['uploaded', true, 'finish'],
    ['counted', true, 'finish'],
    ['dropped', true, 'let-go'],
  ] as const)('of %s (update computed: %s) is %s', (state, hasUpdate, step) => {
    expect(nextStep(state, hasUpdate)).toBe(step);
  });

  it('computes an update again that was lost after it was announced', () => {
    expect(nextStep('ready', false)).toBe('train');
    expect(nextStep('grouped', false)).toBe('train');
  });
});

describe('comesAfter', () => {
  it('is the order in which a round passes its states', () => {
    const order: AssignmentState[] = [
      'offered', 'accepted', 'training', 'ready', 'grouped', 'uploaded', 'counted',
    ]; // prettier-ignore
    for (const [i, earlier] of order.entries())
      for (const [j, later] of order.entries()) expect(comesAfter(later, earlier)).toBe(j > i);
  });

  it('lets a drop follow everything that is not over', () => {
    const droppable = states.filter((state) => comesAfter('dropped', state));
    expect(droppable).toEqual(states.filter((state) => !['counted', 'dropped'].includes(state)));
  });

  it('never goes both ways', () => {
    for (const a of states) for (const b of states) expect(comesAfter(a, b) && comesAfter(b, a)).toBe(false);
  });
});
