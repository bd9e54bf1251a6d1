/**
 * SYNTHETIC wrist motion: made up, so that the page can be tried where there is no sensor. Each seed is a person who
 * holds, times and doses six activities in a way of their own. Windows of 64 samples at 50 Hz, six channels
 * (accelerometer in g, gyroscope in rad/s), half overlapping inside a recording.
 */
const samples = 64;
const windowsPerStretch = 3;
const recordings = 8;
const sampleRateHz = 50;

/** Where "up" is for the watch, what the arm swings about, how far (radians), how often (Hz), how hard it shakes (g). */
const activities = [
  { name: 'resting', up: [0.1, 0.1, 1], axis: [1, 0, 0], swing: 0.01, hertz: 0.3, shake: 0.005 },
  { name: 'walking', up: [-1, 0.1, 0.1], axis: [0, 0.3, 1], swing: 0.4, hertz: 0.95, shake: 0.25 },
  { name: 'typing', up: [0.1, 0.3, 0.95], axis: [1, 0.2, 0], swing: 0.05, hertz: 2.2, shake: 0.06 },
  { name: 'writing', up: [0.15, 0.45, 0.9], axis: [0.3, 0, 1], swing: 0.07, hertz: 1.6, shake: 0.05 },
  { name: 'brushing', up: [0.5, 0.6, 0.6], axis: [1, 0.3, 0.2], swing: 0.16, hertz: 2, shake: 0.25 },
  { name: 'stirring', up: [0.4, 0.5, 0.75], axis: [0.4, 0.2, 1], swing: 0.22, hertz: 1.5, shake: 0.16 },
];

/** A person's data as the document that `readExamples` reads. */
export function syntheticMotion(seed) {
  const random = normalNumbers(seed);
  const habits = activities.map((activity) => ({
    up: near(activity.up, 0.35, random),
    axis: near(activity.axis, 0.35, random),
    swing: activity.swing * Math.exp(0.35 * random()),
    hertz: activity.hertz * Math.exp(0.2 * random()),
    shake: activity.shake * Math.exp(0.35 * random()),
  }));
  const [x, y, recording] = [[], [], []];
  for (let take = 0; take < recordings; take++) {
    habits.forEach((habit, label) => {
      const stretch = move(habit, samples + ((windowsPerStretch - 1) * samples) / 2, random);
      for (let start = 0; start + samples <= stretch.length; start += samples / 2) {
        x.push(...stretch.slice(start, start + samples).flat());
        y.push(label);
        recording.push(take);
      }
    });
  }
  return {
    x,
    y,
    recording,
    shape: [samples, 6],
    classes: activities.map(({ name }) => name),
    synthetic: true,
  };
}

/** What the watch measures during one stretch: rows of six. */
function move({ up, axis, swing, hertz, shake }, length, random) {
  const radiansPerSample = (2 * Math.PI * hertz * Math.exp(0.1 * random())) / sampleRateHz;
  let phase = 3 * random();
  return Array.from({ length }, () => {
    phase += radiansPerSample * (1 + 0.1 * random());
    const gravity = turn(up, axis, -swing * Math.sin(phase));
    const push = shake * Math.sin(2 * phase);
    const rate = swing * radiansPerSample * sampleRateHz * Math.cos(phase);
    return [
      ...gravity.map((value, i) => value + push * axis[(i + 1) % 3] + 0.02 * random()),
      ...axis.map((value) => value * rate + 0.04 * random()),
    ];
  });
}

/** A direction that strays from another. */
function near(direction, spread, random) {
  const strayed = direction.map((value) => value / Math.hypot(...direction) + spread * random());
  return strayed.map((value) => value / Math.hypot(...strayed));
}

/** Turns v about a unit axis (Rodrigues' rotation formula). */
function turn(v, axis, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = v.reduce((sum, value, i) => sum + value * axis[i], 0) * (1 - cos);
  const across = v.map((_, i) => axis[(i + 1) % 3] * v[(i + 2) % 3] - axis[(i + 2) % 3] * v[(i + 1) % 3]);
  return v.map((value, i) => value * cos + across[i] * sin + axis[i] * along);
}

/** Normal numbers (Box and Muller 1958) from a 32-bit xorshift generator (Marsaglia 2003); same seed, same numbers. */
function normalNumbers(seed) {
  let state = (Math.imul(seed, 2654435761) ^ 0x5bd1e995) >>> 0 || 1;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
