/** What an IR may ask of the device that runs it: it comes from a server, but runs on someone's phone. */
export interface ModelLimits {
  readonly maxNodes: number;
  readonly maxParameterTensors: number;
  /** Values in all parameter tensors together. */
  readonly maxParameters: number;
  readonly maxRank: number;
  readonly maxIdLength: number;
  /** Values of one tensor, one example where the tensor carries a batch. Below 2^24, so that f32 can hold an index. */
  readonly maxTensorValues: number;
  /** Values that all nodes together compute for one example: outputs, and what attention and recurrence keep inside. */
  readonly maxActivations: number;
  /** Multiplications of all nodes together for one example, forward: time that a step takes and nothing can interrupt. */
  readonly maxProducts: number;
  /** Steps of all lstm and gru together: a second derivative writes each of them out. */
  readonly maxRecurrentSteps: number;
}

export const defaultLimits: ModelLimits = Object.freeze({
  maxNodes: 512,
  maxParameterTensors: 512,
  maxParameters: 32 * 2 ** 20,
  maxRank: 6,
  maxIdLength: 128,
  maxTensorValues: 2 ** 24 - 1,
  maxActivations: 32 * 2 ** 20,
  maxProducts: 2 ** 32,
  maxRecurrentSteps: 1024,
});
