import { assignmentTransitions, type AssignmentState } from '@starling/protocol';

/** What a device does for its assignment: one step, after which the state says what comes next. */
export type Step =
  /** Accept the offer, or decline it. */
  | 'decide'
  /** Fetch the model, then say that training begins. */
  | 'begin'
  /** Compute the update and keep it. */
  | 'train'
  /** Say that the update is ready: its digest and its length. */
  | 'announce'
  /** The server forms groups; wait for its word. */
  | 'await-group'
  | 'upload'
  /** The server has the update. */
  | 'finish'
  /** The server no longer wants it. */
  | 'let-go';

/**
 * The step for each state of the assignment: [without, with] the finished update in the device's storage. An update
 * that was lost after it was announced is computed again: same seed, same data, same bytes.
 */
const steps: Record<AssignmentState, readonly [withoutUpdate: Step, withUpdate: Step]> = {
  offered: ['decide', 'decide'],
  accepted: ['begin', 'begin'],
  training: ['train', 'announce'],
  ready: ['train', 'await-group'],
  grouped: ['train', 'upload'],
  uploaded: ['finish', 'finish'],
  counted: ['finish', 'finish'],
  dropped: ['let-go', 'let-go'],
};

export function nextStep(state: AssignmentState, hasUpdate: boolean): Step {
  return steps[state][hasUpdate ? 1 : 0];
}

/**
 * Whether a state comes after another. Word of an assignment arrives by two ways (answers and socket events) in any
 * order and any number of times; the device believes only what lies ahead of what it knows.
 */
export function comesAfter(later: AssignmentState, earlier: AssignmentState): boolean {
  return assignmentTransitions[earlier].some((next) => next === later || comesAfter(later, next));
}
