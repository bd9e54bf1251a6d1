/** Training in a web worker: the page stays responsive, and training goes on while the tab is hidden. */
import type { TrainerJob } from '../../core/ports.ts';
import { trainerAnswers } from '../shared/trainer-messages.ts';

/** A worker's own scope: the DOM library types that of a page. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<TrainerJob>) => void;
  postMessage: (reply: unknown) => void;
};
const answer = trainerAnswers();
scope.onmessage = ({ data }) => {
  scope.postMessage(answer(data));
};
