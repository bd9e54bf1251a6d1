/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { Lanes } from './lanes';

/** 3 * 2^22: a smaller number added to it is rounded to an integer. */
const roundingShift: f32 = 12582912;
const roundingShiftBits: i32 = 0x4b400000;

/**
 * Transcendental functions from + - * / alone: in the strict build the same bits on every processor. Each is a minimax
 * approximation after reduction of the range (Muller, Elementary Functions, 2016, chapters 3 and 11), good to 4e-7
 * of the value (measured: exp 0.8e-7, sigmoid 1.5e-7, log 1.6e-7, erf 1.8e-7, softplus 2.6e-7, tanh 3.3e-7). NaN stays NaN.
 */
export abstract class Functions {
  /** e^x, infinite above 88.73, gradually 0 below -103.9. */
  @inline
  static exp(x: v128): v128 {
    const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-104));
    const shifted = Functions.multiplesOfLn2(bounded);
    const rest = Functions.expOfRest(bounded, f32x4.sub(shifted, f32x4.splat(roundingShift)));
    const k = i32x4.sub(shifted, i32x4.splat(roundingShiftBits));
    const half = i32x4.shr_s(k, 1);
    return f32x4.mul(f32x4.mul(rest, Functions.powerOfTwo(half)), Functions.powerOfTwo(i32x4.sub(k, half)));
  }

  /** e^x for x between -87 and 88; outside, its value at the nearer end. */
  @inline
  static expWithin(x: v128): v128 {
    const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87));
    const shifted = Functions.multiplesOfLn2(bounded);
    const rest = Functions.expOfRest(bounded, f32x4.sub(shifted, f32x4.splat(roundingShift)));
    return f32x4.mul(rest, Functions.powerOfTwo(shifted));
  }

  /** The nearest multiple n of ln 2, as n + 3 * 2^22: n stands in the last bits of that. */
  @inline
  static multiplesOfLn2(x: v128): v128 {
    return f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504)), f32x4.splat(roundingShift));
  }

  /** 2^k of an integer; only its last nine bits count. */
  @inline
  static powerOfTwo(k: v128): v128 {
    return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
  }

  /** e^(x - n ln 2); ln 2 in two parts, so that n times the first is exact. */
  @inline
  static expOfRest(x: v128, n: v128): v128 {
    const high = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
    const r = f32x4.add(high, f32x4.mul(n, f32x4.splat(2.1219444e-4)));
    let p = f32x4.splat(0.001381166006003604);
    p = Lanes.multiplyAdd(p, r, f32x4.splat(0.008370135024840792));
    p = Lanes.multiplyAdd(p, r, f32x4.splat(0.041668528324389977));
    p = Lanes.multiplyAdd(p, r, f32x4.splat(0.1666650871458669));
    p = Lanes.multiplyAdd(p, r, f32x4.splat(0.4999999262931304));
    return f32x4.add(Lanes.multiplyAdd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  }

  /** Natural logarithm of x > 0; -Infinity at 0, NaN below. */
  @inline
  static log(x: v128): v128 {
    const isTiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
    const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(33554432)), x, isTiny);
    // x = m * 2^k with sqrt(1/2) <= m < sqrt(2); 0x3f3504f3 are the bits of sqrt(1/2)
    const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
    const exponent = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(isTiny, i32x4.splat(25)));
    const fraction = v128.and(shifted, i32x4.splat(0x007fffff));
    const m = i32x4.add(fraction, i32x4.splat(0x3f3504f3));
    const k = f32x4.convert_i32x4_s(exponent);
    // log m = 2 artanh s
    const one = f32x4.splat(1);
    const f = f32x4.sub(m, one);
    const s = f32x4.div(f, f32x4.add(m, one));
    const z = f32x4.mul(s, s);
    let p = f32x4.splat(0.22222222);
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.28571429));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.4));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.66666667));
    const low = Lanes.multiplyAdd(f32x4.mul(s, z), p, f32x4.mul(k, f32x4.splat(-2.1219444e-4)));
    const value = f32x4.add(f32x4.mul(k, f32x4.splat(0.693359375)), f32x4.add(f32x4.add(s, s), low));
    const infinite = f32x4.splat(f32.POSITIVE_INFINITY);
    const proper = v128.bitselect(value, f32x4.sub(x, infinite), f32x4.gt(x, f32x4.splat(0)));
    const finite = v128.bitselect(x, proper, f32x4.eq(x, infinite));
    return v128.or(finite, f32x4.lt(x, f32x4.splat(0)));
  }

  /** x P(x^2) / Q(x^2); rounding would carry it beyond 1, where gates turn negative, so it is held there. */
  @inline
  static tanh(x: v128): v128 {
    const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(9)), f32x4.splat(-9));
    const z = f32x4.mul(bounded, bounded);
    let p = f32x4.splat(1.3354533625258544e-8);
    p = Lanes.multiplyAdd(p, z, f32x4.splat(2.060898060965548e-5));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.0034955815404754563));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.13381019967524496));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.9999999794560398));
    let q = f32x4.splat(7.77650318851205e-7);
    q = Lanes.multiplyAdd(q, z, f32x4.splat(0.00032856243298050406));
    q = Lanes.multiplyAdd(q, z, f32x4.splat(0.025876956737690724));
    q = Lanes.multiplyAdd(q, z, f32x4.splat(0.46714335560094944));
    q = Lanes.multiplyAdd(q, z, f32x4.splat(1));
    const value = f32x4.div(f32x4.mul(bounded, p), q);
    return f32x4.pmax(f32x4.pmin(value, f32x4.splat(1)), f32x4.splat(-1));
  }

  @inline
  static sigmoid(x: v128): v128 {
    const one = f32x4.splat(1);
    return f32x4.div(one, f32x4.add(one, Functions.expWithin(f32x4.neg(x))));
  }

  /** (1 + tanh(x / 2)) / 2: a third cheaper, good to 4e-7 of 1 rather than of the value, and from 0 to 1. */
  @inline
  static gate(x: v128): v128 {
    const half = f32x4.splat(0.5);
    return Lanes.multiplyAdd(Functions.tanh(f32x4.mul(x, half)), half, half);
  }

  /** max(x, 0) + log(1 + e^-|x|) */
  @inline
  static softplus(x: v128): v128 {
    const one = f32x4.splat(1);
    const e = Functions.expWithin(f32x4.neg(f32x4.abs(x)));
    const u = f32x4.add(one, e);
    // log(1 + e) keeps its digits for small e: log(u) e / (u - 1) (Higham 2002, section 1.14.1)
    const rest = f32x4.sub(u, one);
    const exact = f32x4.div(f32x4.mul(Functions.log(u), e), rest);
    const small = v128.bitselect(e, exact, f32x4.eq(rest, f32x4.splat(0)));
    return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), small);
  }

  /** x P(x^2) below 1, 1 - e^(-x^2) P(1 / (1 + |x| / 2)) above. */
  @inline
  static erf(x: v128): v128 {
    const size = f32x4.abs(x);
    const z = f32x4.mul(x, x);
    let p = f32x4.splat(7.853857700057532e-5);
    p = Lanes.multiplyAdd(p, z, f32x4.splat(-0.0008010192519017911));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.005188327559849493));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(-0.02685381186906388));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(0.11283585147032163));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(-0.3761262582409426));
    p = Lanes.multiplyAdd(p, z, f32x4.splat(1.1283791657266915));
    const near = f32x4.mul(x, p);
    const one = f32x4.splat(1);
    const t = f32x4.div(one, Lanes.multiplyAdd(size, f32x4.splat(0.5), one));
    let q = f32x4.splat(-0.2307346301508515);
    q = Lanes.multiplyAdd(q, t, f32x4.splat(0.6364835731990157));
    q = Lanes.multiplyAdd(q, t, f32x4.splat(-0.06423108410804346));
    q = Lanes.multiplyAdd(q, t, f32x4.splat(0.3966684068318683));
    q = Lanes.multiplyAdd(q, t, f32x4.splat(0.25973939993221457));
    q = Lanes.multiplyAdd(q, t, f32x4.splat(0.0018179957392271406));
    const far = f32x4.sub(one, f32x4.mul(q, Functions.expWithin(f32x4.neg(z))));
    const signed = v128.bitselect(x, far, f32x4.splat(-0.0));
    return v128.bitselect(signed, near, f32x4.gt(size, one));
  }

  /** Phi(x), the normal distribution. */
  @inline
  static normal(x: v128): v128 {
    const half = f32x4.splat(0.5);
    return Lanes.multiplyAdd(half, Functions.erf(f32x4.mul(x, f32x4.splat(0.70710678))), half);
  }

  @inline
  static geluByErf(x: v128): v128 {
    return f32x4.mul(x, Functions.normal(x));
  }

  /** Phi(x) + x phi(x) */
  @inline
  static geluSlopeByErf(x: v128): v128 {
    const density = Functions.expWithin(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
    return Lanes.multiplyAdd(f32x4.mul(x, f32x4.splat(0.39894228)), density, Functions.normal(x));
  }

  /** 2 sqrt(2 / pi) (x + 0.044715 x^3), half of whose tanh joins 1/2 to make a sigmoid of it. */
  @inline
  static geluArgument(x: v128, square: v128): v128 {
    return f32x4.mul(x, Lanes.multiplyAdd(square, f32x4.splat(0.071354816), f32x4.splat(1.5957691)));
  }

  /** x (1 + tanh u) / 2 = x sigmoid(2 u) */
  @inline
  static geluByTanh(x: v128): v128 {
    return f32x4.mul(x, Functions.sigmoid(Functions.geluArgument(x, f32x4.mul(x, x))));
  }

  /** s + x s (1 - s) (2 u)' with s = sigmoid(2 u) and 1 - s = e^(-2 u) s, which keeps its digits. */
  @inline
  static geluSlopeByTanh(x: v128): v128 {
    const square = f32x4.mul(x, x);
    const one = f32x4.splat(1);
    const e = Functions.expWithin(f32x4.neg(Functions.geluArgument(x, square)));
    const s = f32x4.div(one, f32x4.add(one, e));
    const slope = Lanes.multiplyAdd(square, f32x4.splat(0.21406445), f32x4.splat(1.5957691));
    return Lanes.multiplyAdd(f32x4.mul(f32x4.mul(x, slope), f32x4.mul(e, s)), s, s);
  }
}
