/** A worker of a simulation in a process of its own: answers the frames of its standard input, and ends with it. */
import { deserialize, serialize } from 'node:v8';
import type { CrewOrder, Question } from '../simulation/crew.ts';
import { DeviceWorker } from '../simulation/device-worker.ts';
import { engineHere, readOrder, type Reply, type RoundBegin } from './bodies.ts';
import { framesFrom, writeFrame } from './frames.ts';

let order: CrewOrder | undefined;
let worker: DeviceWorker | undefined;

function reply(question: Question): Reply {
  try {
    if (!worker) throw new TypeError('A question comes after the order.');
    return { answer: worker.answer(question) };
  } catch (error) {
    return { broken: String(error) };
  }
}

for await (const { kind, worker: number, body } of framesFrom(process.stdin)) {
  switch (kind) {
    case 's':
      order = readOrder(body);
      worker = new DeviceWorker(order);
      writeFrame(process.stdout, {
        kind: 'h',
        worker: number,
        body: Buffer.from(JSON.stringify(engineHere)),
      });
      break;
    case 'r': {
      const { order: round, values } = deserialize(body) as RoundBegin; // of `PipedCrew.begin`
      order?.values.set(values);
      worker?.begin(round);
      break;
    }
    case 'q':
      // of `PipedCrew.ask`
      writeFrame(process.stdout, {
        kind: 'a',
        worker: number,
        body: serialize(reply(deserialize(body) as Question)),
      });
      break;
    default:
      throw new TypeError(`A worker was sent a frame of kind "${kind}".`);
  }
}
