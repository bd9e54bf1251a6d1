import type { Assignment, AssignmentId, AssignmentState } from '@starling/protocol';
import { comesAfter } from './assignment-steps.ts';
import { Bell } from './bell.ts';

/** How many assignments that are over are remembered, against offers that arrive twice. */
const remembered = 32;

/** States in which an assignment is the device's to work on; the server, asked, names it. */
const live: ReadonlySet<AssignmentState> = new Set(['offered', 'accepted', 'training', 'ready', 'grouped']);

/**
 * What the device knows of its assignments: the one in hand, and the one that comes next. Every word of the server
 * goes through `hear`, from whichever way it came.
 */
export class Inbox {
  /** Rings when there is an assignment to take, and when there is news of the one in hand. */
  readonly bell = new Bell();
  readonly #onNews: (assignment: Assignment) => void;
  readonly #over: AssignmentId[] = [];
  #inHand: Assignment | undefined;
  #next: Assignment | undefined;

  /** `onNews` is told of each assignment taken and each change of its state, once. */
  constructor(onNews: (assignment: Assignment) => void) {
    this.#onNews = onNews;
  }

  get inHand(): Assignment | undefined {
    return this.#inHand;
  }

  get hasNext(): boolean {
    return this.#next !== undefined;
  }

  /** The server says where an assignment stands. What is older than what is known, or over, changes nothing. */
  hear(assignment: Assignment): void {
    if (assignment.id === this.#inHand?.id) {
      if (comesAfter(assignment.state, this.#inHand.state)) this.#advance(assignment);
      return;
    }
    if (this.#over.includes(assignment.id)) return;
    if (assignment.id === this.#next?.id && !comesAfter(assignment.state, this.#next.state)) return;
    if (live.has(assignment.state)) this.#next = assignment;
    else if (assignment.id === this.#next?.id) this.#next = undefined;
    this.bell.ring();
  }

  /**
   * The server, asked when `asked` was in hand, named another assignment or none: `asked` was dropped unheard. One
   * that may be uploading is left alone: the server stops naming it as soon as it has the update.
   */
  hearNothingOf(asked: AssignmentId): void {
    if (this.#inHand?.id !== asked || !live.has(this.#inHand.state) || this.#inHand.state === 'grouped')
      return;
    this.#advance({ ...this.#inHand, state: 'dropped', reason: null });
  }

  /** Takes the next assignment in hand. */
  take(): Assignment | undefined {
    this.#inHand = this.#next;
    this.#next = undefined;
    if (this.#inHand) this.#onNews(this.#inHand);
    return this.#inHand;
  }

  /** The assignment in hand is over. */
  release(): void {
    if (!this.#inHand) return;
    this.#over.push(this.#inHand.id);
    if (this.#over.length > remembered) this.#over.shift();
    this.#inHand = undefined;
  }

  /** The device stops: what it knows is no longer worth anything, the server will be asked again. */
  clear(): void {
    this.#inHand = undefined;
    this.#next = undefined;
  }

  #advance(assignment: Assignment): void {
    this.#inHand = assignment;
    this.#onNews(assignment);
    this.bell.ring();
  }
}
