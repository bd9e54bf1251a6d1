import { isObject, leavesOf, valueAt, withValue, type Json, type JsonObject } from './document.ts';

/** Parts of a plan, as people go through them. */
export const sections = [
  'course',
  'learning',
  'optimiser',
  'cohort',
  'windows',
  'adaptation',
  'secure',
  'evaluation',
  'statistics',
  'eligibility',
  'encoding',
  'pace',
] as const;
export type SectionName = (typeof sections)[number];

/** What a setting is, and so how it reads and is written. */
export type SettingKind =
  | { kind: 'count' | 'number' | 'share' | 'duration' | 'flag' | 'numbers' | 'labels' }
  | { kind: 'schedule' | 'adaptation-rate' }
  | { kind: 'choice'; options: readonly (string | number)[] };

export type Setting = SettingKind & {
  /** Where it is in the plan. */
  readonly path: string;
  readonly section: SectionName;
  /** Its name among the words of the plan. */
  readonly word: SettingWord;
  /** The plan holds without it. */
  readonly optional?: true;
};

export const algorithms = ['fedavg', 'reptile', 'fomaml', 'maml', 'meta-sgd'] as const;
export type Algorithm = (typeof algorithms)[number];
export const optimisers = ['sgd', 'momentum', 'adam'] as const;
export type OptimiserKind = (typeof optimisers)[number];

export type SettingWord = (typeof table)[number]['word'];

const cohortOf = <S extends SectionName, P extends string>(section: S, path: P) =>
  [
    { section, path: `${path}.goal`, word: 'goal', kind: 'count' },
    { section, path: `${path}.minimum`, word: 'minimum', kind: 'count' },
    { section, path: `${path}.select`, word: 'select', kind: 'labels', optional: true },
  ] as const;

const table = [
  { section: 'course', path: 'rounds', word: 'rounds', kind: 'count' },
  { section: 'course', path: 'seed', word: 'seed', kind: 'count', optional: true },
  { section: 'course', path: 'maxWeight', word: 'maxWeight', kind: 'count', optional: true },
  {
    section: 'learning',
    path: 'learning.algorithm',
    word: 'algorithm',
    kind: 'choice',
    options: algorithms,
  },
  { section: 'learning', path: 'learning.epochs', word: 'epochs', kind: 'count' },
  { section: 'learning', path: 'learning.steps', word: 'steps', kind: 'count' },
  { section: 'learning', path: 'learning.batchSize', word: 'batchSize', kind: 'count' },
  { section: 'learning', path: 'learning.rate', word: 'rate', kind: 'number' },
  { section: 'learning', path: 'learning.innerSteps', word: 'innerSteps', kind: 'count' },
  { section: 'learning', path: 'learning.innerRate', word: 'innerRate', kind: 'number' },
  { section: 'learning', path: 'learning.initialRate', word: 'initialRate', kind: 'number' },
  { section: 'learning', path: 'learning.supportShares', word: 'supportShares', kind: 'numbers' },
  { section: 'learning', path: 'learning.maxQuery', word: 'maxQuery', kind: 'count' },
  { section: 'learning', path: 'learning.clipNorm', word: 'clipNorm', kind: 'number', optional: true },
  { section: 'optimiser', path: 'optimiser.kind', word: 'optimiser', kind: 'choice', options: optimisers },
  { section: 'optimiser', path: 'optimiser.rate', word: 'serverRate', kind: 'schedule' },
  { section: 'optimiser', path: 'optimiser.momentum', word: 'momentum', kind: 'number' },
  { section: 'optimiser', path: 'optimiser.beta1', word: 'beta1', kind: 'number' },
  { section: 'optimiser', path: 'optimiser.beta2', word: 'beta2', kind: 'number' },
  { section: 'optimiser', path: 'optimiser.epsilon', word: 'epsilon', kind: 'number' },
  ...cohortOf('cohort', 'cohort'),
  { section: 'cohort', path: 'cohort.overSelection', word: 'overSelection', kind: 'number', optional: true },
  { section: 'windows', path: 'windows.selectingMs', word: 'selectingMs', kind: 'duration' },
  { section: 'windows', path: 'windows.trainingMs', word: 'trainingMs', kind: 'duration' },
  { section: 'windows', path: 'windows.aggregatingMs', word: 'aggregatingMs', kind: 'duration' },
  { section: 'adaptation', path: 'adaptation.steps', word: 'adaptationSteps', kind: 'count' },
  { section: 'adaptation', path: 'adaptation.rate', word: 'adaptationRate', kind: 'adaptation-rate' },
  { section: 'secure', path: 'secure.groupSize.target', word: 'groupTarget', kind: 'count' },
  { section: 'secure', path: 'secure.groupSize.minimum', word: 'groupMinimum', kind: 'count' },
  { section: 'secure', path: 'secure.ring', word: 'ring', kind: 'choice', options: [32, 16] },
  { section: 'evaluation', path: 'evaluation.everyRounds', word: 'everyRounds', kind: 'count' },
  ...cohortOf('evaluation', 'evaluation.spec'),
  { section: 'evaluation', path: 'evaluation.spec.supportShares', word: 'judgedShares', kind: 'numbers' },
  { section: 'evaluation', path: 'evaluation.spec.steps', word: 'judgedSteps', kind: 'numbers' },
  { section: 'evaluation', path: 'evaluation.spec.rate', word: 'adaptationRate', kind: 'adaptation-rate' },
  ...cohortOf('statistics', 'statistics'),
  {
    section: 'eligibility',
    path: 'eligibility.minExamples',
    word: 'minExamples',
    kind: 'count',
    optional: true,
  },
  { section: 'eligibility', path: 'eligibility.charging', word: 'charging', kind: 'flag', optional: true },
  { section: 'eligibility', path: 'eligibility.unmetered', word: 'unmetered', kind: 'flag', optional: true },
  { section: 'eligibility', path: 'eligibility.idle', word: 'idle', kind: 'flag', optional: true },
  {
    section: 'eligibility',
    path: 'eligibility.minBattery',
    word: 'minBattery',
    kind: 'share',
    optional: true,
  },
  {
    section: 'eligibility',
    path: 'eligibility.minSeparationMs',
    word: 'minSeparationMs',
    kind: 'duration',
    optional: true,
  },
  { section: 'encoding', path: 'encoding.scaleBits', word: 'scaleBits', kind: 'count' },
  { section: 'encoding', path: 'encoding.clip', word: 'clip', kind: 'number' },
  {
    section: 'encoding',
    path: 'encoding.rounding',
    word: 'rounding',
    kind: 'choice',
    options: ['nearest', 'stochastic'],
    optional: true,
  },
  { section: 'pace', path: 'pace.minDelayMs', word: 'minDelayMs', kind: 'duration' },
  { section: 'pace', path: 'pace.maxDelayMs', word: 'maxDelayMs', kind: 'duration' },
] as const satisfies readonly (SettingKind & {
  path: string;
  section: SectionName;
  word: string;
  optional?: true;
})[];

/** Every setting of a plan that has a name of its own (protocol/src/schemas/plan.ts); the rest is written as JSON. */
export const settings: readonly Setting[] = table;

/** The parameters of each algorithm, and what they begin with. */
const learningOf: Readonly<Record<Algorithm, JsonObject>> = {
  fedavg: { algorithm: 'fedavg', epochs: 1, batchSize: 16, rate: 0.05 },
  reptile: { algorithm: 'reptile', steps: 10, batchSize: 16, rate: 0.05 },
  fomaml: episodes('fomaml', { innerSteps: 1, innerRate: 0.05 }),
  maml: episodes('maml', { innerSteps: 1, innerRate: 0.05 }),
  'meta-sgd': episodes('meta-sgd', { innerSteps: 1, initialRate: 0.05 }),
};
function episodes(algorithm: Algorithm, inner: JsonObject): JsonObject {
  return { algorithm, ...inner, supportShares: [0.2, 0.3, 0.5], maxQuery: 256 };
}

const optimiserOf: Readonly<Record<OptimiserKind, JsonObject>> = {
  sgd: { kind: 'sgd', rate: 1 },
  momentum: { kind: 'momentum', rate: 1, momentum: 0.9 },
  adam: { kind: 'adam', rate: 0.003, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
};

/** Sections that a plan need not have, with what they begin with. */
export const optionalSections: Readonly<Partial<Record<SectionName, JsonObject>>> = {
  secure: { groupSize: { target: 10, minimum: 5 }, ring: 32 },
  evaluation: {
    everyRounds: 5,
    spec: { goal: 10, minimum: 3, supportShares: [0.5], steps: [1, 5], rate: 0.05 },
  },
  statistics: { goal: 10, minimum: 3 },
  eligibility: { unmetered: true },
  encoding: { scaleBits: 24, clip: 64 },
  pace: { minDelayMs: 10_000, maxDelayMs: 60_000 },
};

/** A plan to begin with. */
export function startingPlan(
  algorithm: Algorithm,
  hints: { rate?: number; statistics?: boolean } = {},
): JsonObject {
  const plan: JsonObject = {
    learning: learningOf[algorithm],
    optimiser: optimiserOf[algorithm === 'fedavg' || algorithm === 'reptile' ? 'sgd' : 'adam'],
    rounds: 20,
    cohort: { goal: 10, minimum: 5, overSelection: 1.3 },
    windows: { selectingMs: 600_000, trainingMs: 300_000, aggregatingMs: 120_000 },
    adaptation: { steps: 5, rate: algorithm === 'meta-sgd' ? 'learned' : (hints.rate ?? 0.05) },
    ...(hints.statistics && { statistics: optionalSections.statistics }),
    maxWeight: 4096,
    seed: 0,
  };
  if (hints.rate === undefined) return plan;
  const rate = ['rate', 'innerRate', 'initialRate'].find((name) =>
    Object.hasOwn(learningOf[algorithm], name),
  );
  return { ...plan, learning: { ...learningOf[algorithm], [rate ?? 'rate']: hints.rate } };
}

/**
 * A plan with another algorithm: parameters that both know keep their values, and learned rates go where no algorithm
 * learns them.
 */
export function withAlgorithm(plan: JsonObject, algorithm: Algorithm): JsonObject {
  const before = isObject(plan['learning']) ? plan['learning'] : {};
  const learning = {
    ...kept(learningOf[algorithm], before),
    algorithm,
    ...(before['clipNorm'] !== undefined && { clipNorm: before['clipNorm'] }),
  };
  const changed = { ...plan, learning };
  if (algorithm === 'meta-sgd') return changed;
  return ['adaptation.rate', 'evaluation.spec.rate'].reduce<JsonObject>(
    (result, path) => (valueAt(result, path) === 'learned' ? withValue(result, path, 0.05) : result),
    changed,
  );
}

export function withOptimiser(plan: JsonObject, kind: OptimiserKind): JsonObject {
  const before = isObject(plan['optimiser']) ? plan['optimiser'] : {};
  return { ...plan, optimiser: { ...kept(optimiserOf[kind], before), kind } };
}

function kept(wanted: JsonObject, before: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, before[name] ?? value]));
}

/** The settings that this plan has, or could have, of a section: those of another algorithm or optimiser are none. */
export function settingsOf(plan: JsonObject, section: SectionName): readonly Setting[] {
  const learning = learningOf[valueAt(plan, 'learning.algorithm') as Algorithm] as JsonObject | undefined;
  const optimiser = optimiserOf[valueAt(plan, 'optimiser.kind') as OptimiserKind] as JsonObject | undefined;
  return settings.filter((setting) => {
    if (setting.section !== section) return false;
    const name = setting.path.split('.').at(-1) ?? '';
    if (valueAt(plan, setting.path) !== undefined || setting.optional) return true;
    if (section === 'learning') return name === 'algorithm' || (learning !== undefined && name in learning);
    if (section === 'optimiser') return name === 'kind' || (optimiser !== undefined && name in optimiser);
    return true;
  });
}

/** What a plan says that has no setting of its own: paths and values. */
export function furtherOf(plan: JsonObject): [string, Json][] {
  const known = settings.map(({ path }) => path);
  return leavesOf(plan).filter(
    ([path]) =>
      !sections.some((section) => section === path) &&
      !known.some((each) => path === each || path.startsWith(`${each}.`)),
  );
}

/** The same plan with its values in the order of the settings. */
export function inOrder(plan: JsonObject): JsonObject {
  const known = settings.flatMap(({ path }): [string, Json][] => {
    const value = valueAt(plan, path);
    return value === undefined ? [] : [[path, value]];
  });
  return [...known, ...leavesOf(plan)].reduce<JsonObject>(
    (ordered, [path, value]) =>
      valueAt(ordered, path) === undefined ? withValue(ordered, path, value) : ordered,
    {},
  );
}
