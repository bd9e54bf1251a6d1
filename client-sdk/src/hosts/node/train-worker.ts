/** Training in a thread of its own. */
import { parentPort } from 'node:worker_threads';
import type { TrainerJob } from '../../core/ports.ts';
import { trainerAnswers } from '../shared/trainer-messages.ts';

const answer = trainerAnswers();
parentPort?.on('message', (job: TrainerJob) => {
  parentPort?.postMessage(answer(job));
});
