/** This device cannot train this model: a primitive has no shader, or memory is short. Use another backend. */
export class GpuUnsuitable extends Error {
  override readonly name = 'GpuUnsuitable';
  readonly code = 'gpu-unsuitable';
}
