/**
 * Functions in WGSL. Those built in may lose themselves where an intermediate leaves f32 (WGSL, section 15.7.2), so none
 * here does; NaN passes through all of them.
 */

/** Lambert's continued fraction near 0, where the exponential form cancels. */
export const tanh = `fn tanhOf(x: f32) -> f32 {
  let size = abs(x);
  if (size > 10.0) { return select(1.0, -1.0, x < 0.0); }
  let square = x * x;
  if (size < 0.625) { return x / (1.0 + square / (3.0 + square / (5.0 + square / (7.0 + square / 9.0)))); }
  let y = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
  return select(y, -y, x < 0.0);
}`;

export const sigmoid = `fn sigmoidOf(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(1.0, e, x < 0.0) / (1.0 + e);
}`;

/** log(1 + e) by its series where 1 + e would round e away. */
export const softplus = `fn softplusOf(x: f32) -> f32 {
  let e = exp(-abs(x));
  let rest = select(log(1.0 + e), e * (1.0 - 0.5 * e), e < 1e-3);
  return select(rest, x + rest, x > 0.0);
}`;

/** The Taylor series below 1 (DLMF 7.6.1), above it Abramowitz and Stegun 7.1.26: absolute error below 2e-7. */
export const erf = `fn erfOf(x: f32) -> f32 {
  let size = abs(x);
  if (size > 4.0) { return select(1.0, -1.0, x < 0.0); }
  if (size < 1.0) {
    let square = x * x;
    var sum = 1.0 / 76204800.0;
    sum = 1.0 / 6894720.0 - square * sum;
    sum = 1.0 / 685440.0 - square * sum;
    sum = 1.0 / 75600.0 - square * sum;
    sum = 1.0 / 9360.0 - square * sum;
    sum = 1.0 / 1320.0 - square * sum;
    sum = 1.0 / 216.0 - square * sum;
    sum = 1.0 / 42.0 - square * sum;
    sum = 1.0 / 10.0 - square * sum;
    sum = 1.0 / 3.0 - square * sum;
    return 1.1283791671 * x * (1.0 - square * sum);
  }
  let t = 1.0 / (1.0 + 0.3275911 * size);
  let sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let y = 1.0 - sum * exp(-size * size);
  return select(y, -y, x < 0.0);
}`;
