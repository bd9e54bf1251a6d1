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
  readonly metrics: readonly 'accuracy'[];
  readonly meta?: MetaIr;
}

/** A length, or the batch: `B` is whatever number of examples the model is run with. */
export type Axis = number | 'B';

/** Lengths of the axes, slowest first. Values that carry a batch have `B` first, and only there. */
export type Shape = readonly Axis[];

export type InputIr =
  | { readonly id: string; readonly shape: Shape; readonly dtype: 'f32'; readonly role: 'features' }
  | {
      readonly id: string;
      readonly shape: Shape;
      readonly dtype: 'i32';
      readonly role: 'label';
      readonly classes: number;
    };

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
 * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010), `heUniform` within sqrt(6 / fanIn) (He et al. 2015).
 * `inputMean` and `inputInverseSd` are statistics of the input: never trained, 0 and 1 until they are set.
 */
export type Initial =
  | { readonly kind: 'zeros' | 'ones' | 'glorotUniform' | 'heUniform' | 'inputMean' | 'inputInverseSd' }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'uniform'; readonly fan: number };

export interface NodeIr {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: string;
  readonly attrs: Attributes;
}

export type Attributes = Readonly<Record<string, number | boolean | readonly number[]>>;

export interface LossIr {
  readonly op: 'softmaxCrossEntropy';
  /** Logits [B, classes] and labels [B]. */
  readonly in: readonly [string, string];
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
