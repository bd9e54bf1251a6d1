/**
 * How a wrist moves, as a watch on it would measure: the forearm swings about an axis, which turns gravity in the
 * watch's frame and shows in the gyroscope, and shakes along a direction, which adds to the accelerometer.
 * Axes of the watch: x along the forearm to the hand, y across it to the thumb, z out of the display.
 */
import type { RandomStream } from './random-stream.ts';

export type Vector = readonly [number, number, number];

/** One activity as an average person does it. */
export interface Activity {
  readonly name: string;
  /** Where "up" is in the watch's frame while the arm is in the middle of its swing. */
  readonly up: Vector;
  readonly swingAxis: Vector;
  /** Half the angle from end to end, in radians. */
  readonly swing: number;
  readonly frequencyHz: number;
  readonly shakeAlong: Vector;
  /** Amplitude in g, at twice the frequency of the swing. */
  readonly shake: number;
}

/** Chosen so that neighbours (typing and writing, brushing and stirring) are hard to tell apart across people. */
export const activities: readonly Activity[] = [
  { name: 'resting', up: [0.1, 0.1, 1], swingAxis: [1, 0, 0], swing: 0.01, frequencyHz: 0.3, shakeAlong: [0, 0, 1], shake: 0.005 },
  { name: 'walking', up: [-1, 0.1, 0.1], swingAxis: [0, 0.3, 1], swing: 0.4, frequencyHz: 0.95, shakeAlong: [1, 0.2, 0.3], shake: 0.25 },
  { name: 'typing', up: [0.1, 0.3, 0.95], swingAxis: [1, 0.2, 0], swing: 0.05, frequencyHz: 2.2, shakeAlong: [0, 0.3, 1], shake: 0.06 },
  { name: 'writing', up: [0.15, 0.45, 0.9], swingAxis: [0.3, 0, 1], swing: 0.07, frequencyHz: 1.6, shakeAlong: [0.4, 1, 0], shake: 0.05 },
  { name: 'brushing', up: [0.5, 0.6, 0.6], swingAxis: [1, 0.3, 0.2], swing: 0.16, frequencyHz: 2, shakeAlong: [1, 0, 0.2], shake: 0.25 },
  { name: 'stirring', up: [0.4, 0.5, 0.75], swingAxis: [0.4, 0.2, 1], swing: 0.22, frequencyHz: 1.5, shakeAlong: [0.6, 1, 0], shake: 0.16 },
  { name: 'clapping', up: [0.5, 0.8, 0.2], swingAxis: [0, 1, 0.4], swing: 0.3, frequencyHz: 1.9, shakeAlong: [0.2, 0.3, 1], shake: 0.6 },
  { name: 'drinking', up: [0.7, 0.5, 0.5], swingAxis: [0.5, 1, 0], swing: 0.5, frequencyHz: 0.3, shakeAlong: [1, 0, 0], shake: 0.03 },
]; // prettier-ignore

/** What makes one person's movements differ from another's, drawn once a person. */
export interface Person {
  /** 1 for the left wrist, where the picture above holds; -1 for its mirror image. */
  readonly side: 1 | -1;
  /** How the watch sits: turned about the forearm, and about the display's normal, in radians. */
  readonly strapRoll: number;
  readonly strapYaw: number;
  readonly styles: readonly Style[];
  readonly gyroscopeBias: Vector;
}

/** One person's way to do one activity: the average one, held, timed and dosed differently. */
type Style = Activity;

export function drawPerson(random: RandomStream, doing: readonly Activity[]): Person {
  const tempo = Math.exp(0.12 * random.normal());
  const vigour = Math.exp(0.25 * random.normal());
  return {
    side: random.uniform() < 0.8 ? 1 : -1,
    strapRoll: 0.35 * random.normal(),
    strapYaw: 0.2 * random.normal() + (random.uniform() < 0.15 ? Math.PI : 0),
    styles: doing.map((activity) =>
      vary({ ...activity, frequencyHz: activity.frequencyHz * tempo }, acrossPeople, vigour, random),
    ),
    gyroscopeBias: [0.02 * random.normal(), 0.02 * random.normal(), 0.02 * random.normal()],
  };
}

/** How far a way of moving strays: directions by a part of their length, pace and strength by a log standard deviation. */
interface Spread {
  readonly direction: number;
  readonly pace: number;
  readonly strength: number;
}
const acrossPeople: Spread = { direction: 0.45, pace: 0.2, strength: 0.4 };
/** One person, from one time to the next. */
const acrossTimes: Spread = { direction: 0.22, pace: 0.12, strength: 0.4 };

function vary(style: Style, spread: Spread, vigour: number, random: RandomStream): Style {
  const factor = (deviation: number) => Math.exp(deviation * random.normal());
  return {
    name: style.name,
    up: near(style.up, spread.direction, random),
    swingAxis: near(style.swingAxis, spread.direction, random),
    swing: style.swing * vigour * factor(spread.strength),
    frequencyHz: style.frequencyHz * factor(spread.pace),
    shakeAlong: near(style.shakeAlong, spread.direction, random),
    shake: style.shake * vigour * factor(spread.strength),
  };
}

/** What differs from one wearing of the watch to the next. */
export interface Wearing {
  /** How far the strap slipped about the forearm, in radians. */
  readonly roll: number;
  readonly vigour: number;
}

export function drawWearing(random: RandomStream): Wearing {
  return {
    roll: 0.15 * random.normal(),
    vigour: Math.exp(0.15 * random.normal()),
  };
}

/**
 * A stretch of one activity: `samples` rows of ax, ay, az (g) and gx, gy, gz (rad/s), row-major.
 */
export function measure(
  person: Person,
  wearing: Wearing,
  usual: Style,
  samples: number,
  sampleRateHz: number,
  random: RandomStream,
): Float64Array {
  const rows = new Float64Array(samples * 6);
  const style = vary(usual, acrossTimes, wearing.vigour, random);
  const [up, axis, along] = [style.up, style.swingAxis, style.shakeAlong].map(unit) as [
    Vector,
    Vector,
    Vector,
  ];
  const shakePhase = 2 * Math.PI * random.uniform();
  let phase = 2 * Math.PI * random.uniform();
  for (let i = 0; i < samples; i++) {
    const speed = 2 * Math.PI * style.frequencyHz * (1 + 0.1 * random.normal());
    phase += speed / sampleRateHz;
    // Turning the watch by an angle turns what it sees of the world by the opposite one.
    const gravity = rotate(up, axis, -style.swing * Math.sin(phase));
    const push = style.shake * Math.sin(2 * phase + shakePhase);
    const force = add(gravity, scale(along, push));
    const turn = scale(axis, style.swing * speed * Math.cos(phase));
    const [ax, ay, az] = worn(force, person, wearing);
    const [gx, gy, gz] = worn(turn, person, wearing);
    const { side, gyroscopeBias: bias } = person;
    // A mirror image keeps rates of turn about axes in the mirror's normal and reverses the others.
    const noiseless = [ax, side * ay, az, side * gx + bias[0], gy + bias[1], side * gz + bias[2]];
    noiseless.forEach((value, c) => {
      rows[i * 6 + c] = value + (c < 3 ? 0.02 : 0.04) * random.normal();
    });
  }
  return rows;
}

/** A vector of the forearm as the watch sees it, with its strap turned. */
function worn(vector: Vector, person: Person, wearing: Wearing): Vector {
  const rolled = rotate(vector, [1, 0, 0], person.strapRoll + wearing.roll);
  return rotate(rolled, [0, 0, 1], person.strapYaw);
}

function near(direction: Vector, spread: number, random: RandomStream): Vector {
  const [x, y, z] = unit(direction);
  return unit([x + spread * random.normal(), y + spread * random.normal(), z + spread * random.normal()]);
}

function unit(v: Vector): Vector {
  return scale(v, 1 / Math.hypot(...v));
}

function scale([x, y, z]: Vector, factor: number): Vector {
  return [x * factor, y * factor, z * factor];
}

function add(a: Vector, b: Vector): Vector {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

/** Turns v about a unit axis by an angle in radians (Rodrigues' formula). */
function rotate(v: Vector, axis: Vector, angle: number): Vector {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [x, y, z] = axis;
  const along = (v[0] * x + v[1] * y + v[2] * z) * (1 - cos);
  return [
    v[0] * cos + (y * v[2] - z * v[1]) * sin + x * along,
    v[1] * cos + (z * v[0] - x * v[2]) * sin + y * along,
    v[2] * cos + (x * v[1] - y * v[0]) * sin + z * along,
  ];
}
