/**
 * Exponential, logarithm, hyperbolic tangent, error function and what is made of them in float64 from + - * / alone, after reduction of the range
 * (Muller, Elementary Functions, 2016, chapters 3 and 11). `Math.exp` and its like may differ between engines; these
 * give the same bits everywhere. Relative error is below 1e-14.
 */

/** ln 2 in two parts: the first has 32 trailing zero bits, so that a small integer times it is exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
const inverseLn2 = 1.4426950408889634;

/** 1/n! for n = 0 … 13: the remainder is below 1e-17 for |r| <= ln 2 / 2. */
const inverseFactorials = new Float64Array(14);
for (let n = 0, factorial = 1; n < 14; n++, factorial *= n) inverseFactorials[n] = 1 / factorial;

/** 2^0 … 2^1023. */
const powersOfTwo = new Float64Array(1024);
for (let k = 0, power = 1; k < 1024; k++, power *= 2) powersOfTwo[k] = power;

/** Results above leave float64. */
const largestExponent = 709.782712893384;
/** Results below round to 0. */
const smallestExponent = -745.1332191019412;
const smallestNormal = 2.2250738585072014e-308;

export function exp(x: number): number {
  if (x !== x) return x;
  if (x > largestExponent) return Infinity;
  if (x < smallestExponent) return 0;
  const k = Math.floor(x * inverseLn2 + 0.5);
  const r = x - k * ln2High - k * ln2Low;
  let sum = inverseFactorials[13];
  for (let n = 12; n >= 0; n--) sum = sum * r + inverseFactorials[n];
  return scaleByPowerOfTwo(sum, k);
}

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  // x = m * 2^k with sqrt(1/2) <= m < sqrt(2)
  const subnormal = x < smallestNormal;
  let m = subnormal ? x * powersOfTwo[54] : x;
  let k = subnormal ? -54 : 0;
  for (let step = 512; step >= 1; step /= 2) {
    const power = powersOfTwo[step];
    if (m >= power) {
      m /= power;
      k += step;
    } else if (m * power < 2) {
      m *= power;
      k -= step;
    }
  }
  if (m >= Math.SQRT2) {
    m /= 2;
    k += 1;
  }
  // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| <= 0.1716
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return k * ln2High + (k * ln2Low + 2 * s * sum);
}

export function tanh(x: number): number {
  const size = x < 0 ? -x : x;
  if (size > 20) return x < 0 ? -1 : 1; // 1 - tanh(20) < 2^-53
  if (size > 0.625) {
    const y = 1 - 2 / (exp(2 * size) + 1);
    return x < 0 ? -y : y;
  }
  // Lambert's continued fraction: x / (1 + x²/(3 + x²/(5 + …)))
  const square = x * x;
  let fraction = 19;
  for (let n = 17; n >= 1; n -= 2) fraction = n + square / fraction;
  return x / fraction;
}

/** 1 / (1 + exp(-x)) */
export function sigmoid(x: number): number {
  return 1 / (1 + exp(-x));
}

/** log(1 + exp(x)), small relative error for every x. */
export function softplus(x: number): number {
  const small = exp(x > 0 ? -x : x);
  // log(1 + small): what is lost in 1 + small cancels out of the quotient (Higham 2002, section 1.14.1)
  const sum = 1 + small;
  const rest = sum === 1 ? small : (log(sum) * small) / (sum - 1);
  return x > 0 ? x + rest : rest;
}

/** Centres of the Taylor series of erf lie this many to a unit, from 0 on. */
const erfCentres = 4;
const erfTerms = 16;
/** 1 - erf(6) < 2^-53 */
const erfLimit = 6;
const twoOverRootPi = 1.1283791670955126;

/** Coefficients of erf around each centre: the remainder is below 1e-17 half way to the next. */
const erfSeries = new Float64Array((erfLimit * erfCentres + 1) * erfTerms);
for (let k = 0; k <= erfLimit * erfCentres; k++) {
  const centre = k / erfCentres;
  const first = k * erfTerms;
  const step = 1 / (2 * erfCentres);
  // Both series meet half way between their centres.
  erfSeries[first] = k > 0 ? erfAround(k - 1, step) : 0;
  // The slope g = 2 exp(-x^2) / sqrt(pi) obeys g' = -2 x g, which gives its coefficients in turn.
  let [before, slope] = [0, twoOverRootPi * exp(-centre * centre)];
  for (let n = 0; n + 1 < erfTerms; n++) {
    erfSeries[first + n + 1] = slope / (n + 1);
    [before, slope] = [slope, (-2 * (centre * slope + before)) / (n + 1)];
  }
  if (k > 0) erfSeries[first] -= erfAround(k, -step) - erfSeries[first];
}

/** The error function: the integral of 2 exp(-t^2) / sqrt(pi) from 0 to x. */
export function erf(x: number): number {
  if (x !== x) return x;
  const size = x < 0 ? -x : x;
  if (size > erfLimit) return x < 0 ? -1 : 1;
  const centre = Math.floor(size * erfCentres + 0.5);
  const y = erfAround(centre, size - centre / erfCentres);
  return x < 0 ? -y : y;
}

function erfAround(centre: number, offset: number): number {
  const first = centre * erfTerms;
  let sum = erfSeries[first + erfTerms - 1];
  for (let n = erfTerms - 2; n >= 0; n--) sum = sum * offset + erfSeries[first + n];
  return sum;
}

/** Two exact steps, or one that rounds where the result is subnormal. */
function scaleByPowerOfTwo(x: number, k: number): number {
  const size = k < 0 ? -k : k;
  const half = size >> 1;
  if (k < 0) return x / powersOfTwo[half] / powersOfTwo[size - half];
  return x * powersOfTwo[half] * powersOfTwo[size - half];
}
