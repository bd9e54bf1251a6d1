/**
 * Exponential, logarithm, hyperbolic tangent, error function and what is made of them, in float64 from + - * / alone,
 * after reduction of the range (Muller, Elementary Functions, 2016, chapters 3 and 11). `Math.exp` and its like may
 * differ between engines; these give the same bits everywhere. Relative error is below 1e-14. Polynomials are written
 * out: loops over tables of coefficients take twice as long (Node 20).
 */

/** ln 2 in two parts: the first has 32 trailing zero bits, so that a small integer times it is exact. */
const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;
const inverseLn2 = 1.4426950408889634;

/** 2^-1023 … 2^1023: 2^k is at k + 1023. */
const powerOfTwo = new Float64Array(2047);
for (let k = 0, power = 1; k <= 1023; k++, power *= 2) {
  powerOfTwo[1023 + k] = power;
  powerOfTwo[1023 - k] = 1 / power;
}

/** exp of more is infinity, exp of less than its negative is 0. */
const exponentLimit = 800;
const smallestNormal = 2.2250738585072014e-308;
/** Where the exponent of a number is read. */
const bits = new DataView(new ArrayBuffer(8));

export function exp(x: number): number {
  // Beyond the limits the scaling by itself gives 0 or infinity; early returns would box every result.
  const bounded = Math.min(Math.max(x, -exponentLimit), exponentLimit);
  const k = Math.floor(bounded * inverseLn2 + 0.5);
  const r = bounded - k * ln2High - k * ln2Low;
  // 1/n! for n = 13 … 0: the remainder is below 1e-17 for |r| <= ln 2 / 2
  let sum = 1.6059043836821613e-10 * r + 2.08767569878681e-9;
  sum = sum * r + 2.505210838544172e-8;
  sum = sum * r + 2.755731922398589e-7;
  sum = sum * r + 2.7557319223985893e-6;
  sum = sum * r + 2.48015873015873e-5;
  sum = sum * r + 0.0001984126984126984;
  sum = sum * r + 0.001388888888888889;
  sum = sum * r + 0.008333333333333333;
  sum = sum * r + 0.041666666666666664;
  sum = sum * r + 0.16666666666666666;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  return scaleByPowerOfTwo(sum, k);
}

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: number): number {
  // The names NaN and Infinity would make the engine box every result.
  if (x !== x || x < 0) return 0 / 0;
  if (x === 0) return -1 / 0;
  if (x === 1 / 0) return x;
  // x = m * 2^k with sqrt(1/2) <= m < sqrt(2)
  const scaled = x < smallestNormal ? x * powerOfTwo[1023 + 54] : x;
  bits.setFloat64(0, scaled);
  let k = (bits.getInt32(0) >> 20) - 1023;
  let m = scaled * powerOfTwo[1023 - k];
  if (x < smallestNormal) k -= 54;
  if (m >= Math.SQRT2) {
    m /= 2;
    k += 1;
  }
  // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| <= 0.1716
  const s = (m - 1) / (m + 1);
  const square = s * s;
  // 1/n for n = 23, 21 … 1
  let sum = 0.043478260869565216 * square + 0.047619047619047616;
  sum = sum * square + 0.05263157894736842;
  sum = sum * square + 0.058823529411764705;
  sum = sum * square + 0.06666666666666667;
  sum = sum * square + 0.07692307692307693;
  sum = sum * square + 0.09090909090909091;
  sum = sum * square + 0.1111111111111111;
  sum = sum * square + 0.14285714285714285;
  sum = sum * square + 0.2;
  sum = sum * square + 0.3333333333333333;
  sum = sum * square + 1;
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
  const half = k >> 1;
  return x * powerOfTwo[1023 + half] * powerOfTwo[1023 + (k | 0) - half];
}
