import type { Initial } from '../ir/schema.ts';
import type { Draft, NodeOptions, ParameterOptions, Tensor } from './draft.ts';

export interface LayerOptions extends NodeOptions, ParameterOptions {}

export interface WeightOptions extends LayerOptions {
  /** `true` when not given. */
  readonly bias?: boolean;
  /** Where the weights start; uniform within 1 / sqrt(fan in), as torch, when not given. */
  readonly init?: Initial;
}

type Pair = readonly [number, number];
type Pads = readonly [top: number, bottom: number, left: number, right: number];

interface PlaneOptions extends WeightOptions {
  readonly kernel: Pair;
  readonly strides?: Pair;
  readonly pads?: Pads;
}

interface NormOptions extends LayerOptions {
  readonly epsilon?: number;
}

interface RecurrenceOptions extends LayerOptions {
  /** Length of the state. */
  readonly features: number;
  /** `sequence` when not given. */
  readonly output?: 'sequence' | 'last';
}

/** Ops that bring parameters with them: named after the node, shaped by the input, and initialised. */
export function layers(draft: Draft) {
  /** w, and b where it is wanted, both within 1 / sqrt(fan). */
  const weights = (
    name: string,
    shape: readonly number[],
    fan: number,
    { bias = true, init = { kind: 'uniform', fan }, ...options }: WeightOptions,
  ): Tensor[] => {
    const w = draft.parameter(`${name}/w`, shape, init, options);
    const start: Initial = { kind: 'uniform', fan };
    return bias ? [w, draft.parameter(`${name}/b`, shape.slice(-1), start, options)] : [w];
  };

  const norm = (op: string, x: Tensor, options: NormOptions & { readonly groups?: number }): Tensor => {
    const name = draft.nameOf(op, options.name);
    const channels = [draft.axis(op, x, -1)];
    const gamma = draft.parameter(`${name}/gamma`, channels, { kind: 'ones' }, options);
    const beta = draft.parameter(`${name}/beta`, channels, { kind: 'zeros' }, options);
    const { epsilon, groups } = options;
    return draft.node(op, name, [x, gamma, beta], { epsilon, groups });
  };

  const recurrence = (
    op: string,
    x: Tensor,
    gates: number,
    biases: readonly string[],
    options: RecurrenceOptions,
  ): Tensor => {
    const name = draft.nameOf(op, options.name);
    const { features, output } = options;
    const init: Initial = { kind: 'uniform', fan: features };
    const parameter = (id: string, ...shape: number[]) =>
      draft.parameter(`${name}/${id}`, shape, init, options);
    const wx = parameter('wx', draft.axis(op, x, -1), gates * features);
    const wh = parameter('wh', features, gates * features);
    const rest = biases.map((id) => parameter(id, gates * features));
    return draft.node(op, name, [x, wx, wh, ...rest], { output });
  };

  return {
    /** Centres and scales the features by statistics of all devices, which a round of their own sets. */
    standardise: (x: Tensor, options: NodeOptions = {}): Tensor => {
      const name = draft.nameOf('standardise', options.name);
      const channels = [draft.axis('standardise', x, -1)];
      const mean = draft.parameter(`${name}/mean`, channels, { kind: 'inputMean' }, {});
      const inverse = draft.parameter(`${name}/inverse-sd`, channels, { kind: 'inputInverseSd' }, {});
      return draft.node('standardise', name, [x, mean, inverse]);
    },

    /** [B, …, in] to [B, …, features]. */
    dense: (x: Tensor, options: WeightOptions & { readonly features: number }): Tensor => {
      const { features, ...rest } = options;
      const name = draft.nameOf('dense', options.name);
      const width = draft.axis('dense', x, -1);
      return draft.node('dense', name, [x, ...weights(name, [width, features], width, rest)]);
    },

    /** [B, T, C] to [B, T', features]. `pads`: zeros before and after. */
    conv1d: (
      x: Tensor,
      options: WeightOptions & {
        readonly features: number;
        readonly kernel: number;
        readonly stride?: number;
        readonly pads?: Pair;
      },
    ): Tensor => {
      const { features, kernel, stride, pads, ...rest } = options;
      const name = draft.nameOf('conv1d', options.name);
      const channels = draft.axis('conv1d', x, -1);
      const own = weights(name, [kernel, channels, features], kernel * channels, rest);
      return draft.node('conv1d', name, [x, ...own], { stride, pads });
    },

    /** [B, H, W, C] to [B, H', W', features]. `pads`: zeros above, below, left and right. */
    conv2d: (x: Tensor, options: PlaneOptions & { readonly features: number }): Tensor => {
      const { features, kernel, strides, pads, ...rest } = options;
      const name = draft.nameOf('conv2d', options.name);
      const channels = draft.axis('conv2d', x, -1);
      const fan = kernel[0] * kernel[1] * channels;
      const own = weights(name, [...kernel, channels, features], fan, rest);
      return draft.node('conv2d', name, [x, ...own], { strides, pads });
    },

    /** [B, H, W, C] to [B, H', W', C], each channel by a filter of its own. */
    depthwiseConv2d: (x: Tensor, options: PlaneOptions): Tensor => {
      const { kernel, strides, pads, ...rest } = options;
      const name = draft.nameOf('depthwiseConv2d', options.name);
      const channels = draft.axis('depthwiseConv2d', x, -1);
      const own = weights(name, [...kernel, channels], kernel[0] * kernel[1], rest);
      return draft.node('depthwiseConv2d', name, [x, ...own], { strides, pads });
    },

    batchNorm: (x: Tensor, options: NormOptions = {}): Tensor => norm('batchNorm', x, options),

    layerNorm: (x: Tensor, options: NormOptions = {}): Tensor => norm('layerNorm', x, options),

    groupNorm: (x: Tensor, options: NormOptions & { readonly groups: number }): Tensor =>
      norm('groupNorm', x, options),

    /** Tokens [B, …] to [B, …, features], from a table drawn with `deviation`, 1 when not given. */
    embedding: (
      x: Tensor,
      options: LayerOptions & { readonly features: number; readonly deviation?: number },
    ): Tensor => {
      const { features, deviation = 1 } = options;
      const name = draft.nameOf('embedding', options.name);
      const init: Initial = { kind: 'normal', deviation };
      const table = draft.parameter(`${name}/table`, [draft.vocabularyOf(x), features], init, options);
      return draft.node('embedding', name, [x, table]);
    },

    /** [B, T, C] to [B, T, features], or [B, features] with `output: 'last'`. */
    lstm: (x: Tensor, options: RecurrenceOptions): Tensor => recurrence('lstm', x, 4, ['b'], options),

    /** As `lstm`, at most 512 steps. */
    gru: (x: Tensor, options: RecurrenceOptions): Tensor => recurrence('gru', x, 3, ['bx', 'bh'], options),
  };
}
