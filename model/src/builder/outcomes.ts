import { Fields } from '../ir/fields.ts';
import { parseMeta } from '../ir/parse-meta.ts';
import { parseOptimiser } from '../ir/parse-optimiser.ts';
import type { AdamIr, MetaIr, MetricNameIr, SgdIr } from '../ir/schema.ts';
import type { Draft, Tensor } from './draft.ts';

interface OutcomeOptions {
  /** `accuracy` of classes, `meanAbsoluteError` of values when not given. */
  readonly metrics?: readonly MetricNameIr[];
  /** Id of the labels, `y` when not given. */
  readonly labels?: string;
}

type OptimiserOptions =
  (Pick<SgdIr, 'kind' | 'rate'> & Partial<SgdIr>) | (Pick<AdamIr, 'kind' | 'rate'> & Partial<AdamIr>);

/** What a model predicts, and how its author would train it. */
export function outcomes(draft: Draft) {
  const values = (
    prediction: Tensor,
    loss: Parameters<Draft['outcome']>[2],
    { metrics, labels = 'y' }: OutcomeOptions,
  ): void => {
    draft.outcome(
      { id: labels, shape: prediction.shape, dtype: 'f32', role: 'label' },
      prediction,
      loss,
      metrics,
    );
  };
  return {
    /** A class for each place of logits [B, …, classes]: softmax cross-entropy. */
    classification: (
      logits: Tensor,
      { classes, metrics, labels = 'y' }: OutcomeOptions & { readonly classes: number },
    ): void => {
      const shape = logits.shape.slice(0, -1);
      draft.outcome(
        { id: labels, shape, dtype: 'i32', role: 'label', classes },
        logits,
        { op: 'softmaxCrossEntropy' },
        metrics,
      );
    },

    /** Yes or no for each of logits [B, …], as targets from 0 to 1: binary cross-entropy of the sigmoid. */
    multiLabel: (logits: Tensor, options: OutcomeOptions = {}): void => {
      values(logits, { op: 'binaryCrossEntropy' }, options);
    },

    /** Values of the shape of the prediction: mean squared error, or huber with its `delta`. */
    regression: (
      prediction: Tensor,
      options: OutcomeOptions & {
        readonly loss?: 'meanSquaredError' | 'huber';
        readonly delta?: number;
      } = {},
    ): void => {
      const { loss = 'meanSquaredError', delta = 1 } = options;
      values(prediction, { op: loss, delta }, options);
    },

    /** Recommends an optimiser; defaults are those of torch.optim. */
    optimiser: (options: OptimiserOptions): void => {
      draft.recommend({ optimiser: parseOptimiser(new Fields(options, 'optimiser', draft.limits)) });
    },

    /** Recommends how the model is meant to be adapted. */
    meta: (options: Partial<MetaIr>): void => {
      draft.recommend({ meta: parseMeta(new Fields(options, 'meta', draft.limits)) });
    },
  };
}
