/** The Unified Model IR (umir 1, opset 1) with every default written out. It is plain JSON. */
export interface ModelIr {
  readonly umir: 1;
  readonly opset: 1;
  readonly name: string;
  /** One tensor of features and one of labels. */
  readonly inputs: readonly InputIr[];
  readonly params: readonly ParameterIr[];
  /** In an order in which every value is defined before it is used. */
  readonly nodes: readonly NodeIr[];
  readonly loss: LossIr;
  readonly metrics: readonly MetricNameIr[];
  /** What the author recommends for training without a plan of its own. */
  readonly optimiser?: OptimiserIr;
  readonly meta?: MetaIr;
}

/** A length, or the batch: `B` is whatever number of examples the model is run with. */
export type Axis = number | 'B';

/** Lengths of the axes, slowest first. Values that carry a batch have `B` first, and only there. */
export type Shape = readonly Axis[];

/** Features of float32 or token ids, and labels that are classes or values to predict. */
export type InputIr = FeaturesIr | TokensIr | ClassesIr | TargetsIr;

export interface FeaturesIr {
  readonly id: string;
  readonly shape: Shape;
  readonly dtype: 'f32';
  readonly role: 'features';
}

/** Ids from 0 to vocabulary - 1, which an embedding looks up. */
export interface TokensIr {
  readonly id: string;
  readonly shape: Shape;
  readonly dtype: 'i32';
  readonly role: 'features';
  readonly vocabulary: number;
}

/** A class, 0 to classes - 1, at each place of `shape`: ["B"] for one an example. */
export interface ClassesIr {
  readonly id: string;
  readonly shape: Shape;
  readonly dtype: 'i32';
  readonly role: 'label';
  readonly classes: number;
}

export interface TargetsIr {
  readonly id: string;
  readonly shape: Shape;
  readonly dtype: 'f32';
  readonly role: 'label';
}

export interface ParameterIr {
  readonly id: string;
  readonly shape: readonly number[];
  readonly init: Initial;
  /** Whether what a device learns is combined with others, or stays there. */
  readonly share: 'global' | 'local';
  readonly group: ParameterGroup;
}

export type ParameterGroup = 'body' | 'head';

/**
 * Where a parameter starts. `uniform` draws within 1 / sqrt(fan) of zero; `glorotUniform` within
 * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010), `heUniform` within sqrt(6 / fanIn) (He et al. 2015); `normal`
 * from the normal distribution around 0 with that standard deviation.
 * `inputMean` and `inputInverseSd` are statistics of the input: never trained, 0 and 1 until they are set.
 */
export type Initial =
  | { readonly kind: 'zeros' | 'ones' | 'glorotUniform' | 'heUniform' | 'inputMean' | 'inputInverseSd' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly fan: number }
  | { readonly kind: 'normal'; readonly deviation: number };

export interface NodeIr {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: string;
  readonly attrs: Attributes;
}

export type Attributes = Readonly<Record<string, number | boolean | string | readonly number[]>>;

/** The mean of it over all labels of a batch is what training lowers. `in`: predictions, then the input of labels. */
export type LossIr = PlainLossIr | HuberIr;

export interface PlainLossIr {
  readonly op: 'softmaxCrossEntropy' | 'binaryCrossEntropy' | 'meanSquaredError';
  readonly in: readonly [string, string];
}

/** r^2 / 2 up to |r| = delta, then delta (|r| - delta / 2) (Huber 1964). */
export interface HuberIr {
  readonly op: 'huber';
  readonly in: readonly [string, string];
  readonly delta: number;
}

/** A metric as the document writes it. */
export type MetricNameIr = Exclude<MetricIr['kind'], 'topK'> | TopKIr;

export interface TopKIr {
  readonly kind: 'topK';
  readonly k: number;
}

/**
 * `accuracy`, `topK` (the label is among the k most probable classes), `f1` (mean over the classes) and `perplexity`
 * (exp of the mean loss) judge classes; `meanAbsoluteError` judges values.
 */
export type MetricIr = { readonly kind: 'accuracy' | 'f1' | 'meanAbsoluteError' | 'perplexity' } | TopKIr;

/** Steps as torch.optim takes them: weight decay is added to the gradient, except by `adamw`. */
export type OptimiserIr = SgdIr | AdamIr;

export interface SgdIr {
  readonly kind: 'sgd';
  readonly rate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** Kingma and Ba 2015; `adamw` decays the weights themselves (Loshchilov and Hutter 2019). */
export interface AdamIr {
  readonly kind: 'adam' | 'adamw';
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * What the model's author recommends to a plan, and which groups of parameters adapt to a person. A plan may choose
 * otherwise in everything except `adapt`.
 */
export interface MetaIr {
  readonly algorithm?: 'fedavg' | 'reptile' | 'fomaml' | 'maml' | 'meta-sgd';
  readonly order?: 1 | 2;
  readonly innerSteps?: number;
  readonly innerRate?: number | { readonly learned: number };
  readonly adapt: readonly ParameterGroup[];
}
