import type { Program } from './program.ts';

/** Programs on which the coordinator once failed, as they were shrunk: they are run before any random one. */
export const pastPrograms: Readonly<Record<string, Program>> = {
  'two tasks that kept each other from ever having enough devices': {
    plans: [
      {
        ...{ goal: 3, minimum: 3, overSelection: 1, rounds: 1 },
        ...{ statistics: false, evaluation: false, hybrid: false, secure: false },
      },
      {
        ...{ goal: 2, minimum: 2, overSelection: 1, rounds: 1 },
        ...{ statistics: false, evaluation: true, hybrid: false, secure: false },
      },
    ],
    ...{ devices: 3, nodes: 1, order: 953489822, ending: 'work' },
    steps: [
      { kind: 'work', device: 0, node: 0, messages: 3, parts: 2, calls: 31 },
      { kind: 'work', device: 5, node: 0, messages: 6, parts: 1, calls: 10000 },
      { kind: 'start-node', calls: 36 },
      { kind: 'arrive', device: 4, node: 0, calls: 23 },
      { kind: 'beat', node: 0, calls: 38 },
      { kind: 'arrive', device: 1, node: 1, calls: 34 },
      { kind: 'deed', device: 1, node: 1, deed: 'decline', calls: 37 },
      { kind: 'work', device: 3, node: 1, messages: 6, parts: 1, calls: 10000 },
      { kind: 'job-ends', outcome: 'failed', calls: 10000 },
      { kind: 'operate', operation: 'cancel-job', task: 0, device: 3, node: 0, calls: 10000 },
    ],
  },
};
