/**
 * The gradient that a server optimiser sees: minus the mean update (Reddi et al. 2021, Adaptive Federated
 * Optimization, Algorithm 2). `meanUpdate` [d] is what devices would add to the shared parameters.
 */
export function pseudoGradient(meanUpdate: Float64Array): Float64Array {
  return meanUpdate.map((value) => -value);
}
