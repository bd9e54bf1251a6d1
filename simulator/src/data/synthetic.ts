/** SYNTHETIC data: made-up people with made-up movements, to see the machinery work where no real data is at hand. */
import { encodePack } from './encode-pack.ts';
import { packFrom, type Pack } from './fedpack.ts';
import { randomStream } from './random-stream.ts';
import { activities, drawPerson, drawWearing, measure } from './wrist-motion.ts';

export interface SyntheticOptions {
  /** How many people, 1 to 10,000. */
  readonly users: number;
  /** How many activities, 2 to 8; 6 unless told. */
  readonly classes?: number;
}

const sampleRateHz = 50;
const windowSamples = 64;
const stride = 32;
const recordings = 8;
/** Three windows of each activity in a recording. */
const stretchSamples = windowSamples + 2 * stride;
/** 8 g and 40 rad/s over the range of int16, as in the packs of real watches. */
const stepOf = [8, 8, 8, 40, 40, 40].map((full) => full / 32767);

/**
 * A synthetic pack in the shape of a real one (windows of 64 x 6 at 50 Hz, recordings, folds): each person wears the
 * watch, moves and keeps time in a way of their own, so a model gains from adapting to one person. The same seed gives
 * the same bytes, and person i does not depend on how many there are.
 * @throws RangeError for a number of users or classes outside its range.
 */
export function syntheticWrist(seed: number, { users, classes = 6 }: SyntheticOptions): Pack {
  requireWhole('users', users, 1, 10_000);
  requireWhole('classes', classes, 2, activities.length);
  const windowsPerStretch = (stretchSamples - windowSamples) / stride + 1;
  const rowsPerUser = recordings * classes * windowsPerStretch;
  const rows = users * rowsPerUser;
  const watch = new Int16Array(rows * windowSamples * 6);
  const y = new Uint8Array(rows);
  const group = new Uint8Array(rows);
  let row = 0;
  for (let user = 0; user < users; user++) {
    const random = randomStream(seed, `synthetic-wrist/person/${user}`);
    const person = drawPerson(random, activities.slice(0, classes));
    for (let recording = 0; recording < recordings; recording++) {
      const wearing = drawWearing(random);
      for (const [label, style] of person.styles.entries()) {
        const stretch = measure(person, wearing, style, stretchSamples, sampleRateHz, random);
        const stored = Int16Array.from(stretch, (value, i) => toInt16(value / stepOf[i % 6]!));
        for (let first = 0; first + windowSamples <= stretchSamples; first += stride, row++) {
          watch.set(stored.subarray(first * 6, (first + windowSamples) * 6), row * windowSamples * 6);
          y[row] = label;
          group[row] = recording;
        }
      }
    }
  }
  const { index, data } = encodePack({
    name: 'synthetic-wrist',
    title: 'SYNTHETIC wrist motion: made-up people, nobody was measured',
    classes: activities.slice(0, classes).map(({ name }) => name),
    users: Array.from({ length: users }, (_, i) => ({
      id: `synthetic-${String(i + 1).padStart(2, '0')}`,
      count: rowsPerUser,
      fold: i % 5,
    })),
    arrays: [
      {
        name: 'watch',
        dtype: 'int16',
        shape: [rows, windowSamples, 6],
        values: watch,
        about: {
          scale: stepOf,
          channels: ['ax', 'ay', 'az', 'gx', 'gy', 'gz'],
          units: ['g', 'g', 'g', 'rad/s', 'rad/s', 'rad/s'],
        },
      },
      { name: 'y', dtype: 'uint8', shape: [rows], values: y },
      { name: 'group', dtype: 'uint8', shape: [rows], values: group },
    ],
    about: {
      task: 'classification',
      synthetic: true,
      source: `generated from seed ${seed}`,
      sampleRateHz,
      window: windowSamples,
      stride,
      split: '`group` is the recording: split support/query by group, never by row',
    },
  });
  return packFrom(index, data, 'memory:synthetic-wrist');
}

function toInt16(value: number): number {
  return Math.max(-32767, Math.min(32767, Math.round(value)));
}

function requireWhole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(
      `A synthetic pack needs ${least} to ${most} ${what}, not ${value}. Choose a whole number in between.`,
    );
}
