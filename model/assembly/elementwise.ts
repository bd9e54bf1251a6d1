/* eslint-disable @typescript-eslint/no-extraneous-class -- only methods can be marked for inlining in valid TypeScript */
import { storePart } from './lanes';
import { Functions } from './functions';

/** Constant where loops are inlined, so each kernel keeps its own branch alone. */
enum OfTwo {
  add,
  subtract,
  multiply,
  maskPositive,
  geluGradientByErf,
  geluGradientByTanh,
}

enum OfOne {
  scale,
  shift,
  exp,
  log,
  reciprocal,
  squareRoot,
  reciprocalRoot,
  tanh,
  sigmoid,
  softplus,
  erf,
  geluByErf,
  geluByTanh,
}

abstract class Each {
  @inline
  static two(kind: OfTwo, p: v128, q: v128): v128 {
    if (kind === OfTwo.add) return f32x4.add(p, q);
    if (kind === OfTwo.subtract) return f32x4.sub(p, q);
    if (kind === OfTwo.multiply) return f32x4.mul(p, q);
    if (kind === OfTwo.maskPositive) return v128.and(p, f32x4.gt(q, f32x4.splat(0)));
    if (kind === OfTwo.geluGradientByErf) return f32x4.mul(p, Functions.geluSlopeByErf(q));
    return f32x4.mul(p, Functions.geluSlopeByTanh(q));
  }

  @inline
  static one(kind: OfOne, p: v128, k: v128): v128 {
    if (kind === OfOne.scale) return f32x4.mul(p, k);
    if (kind === OfOne.shift) return f32x4.add(p, k);
    if (kind === OfOne.exp) return Functions.exp(p);
    if (kind === OfOne.log) return Functions.log(p);
    if (kind === OfOne.reciprocal) return f32x4.div(f32x4.splat(1), p);
    if (kind === OfOne.squareRoot) return f32x4.sqrt(p);
    if (kind === OfOne.reciprocalRoot) return f32x4.div(f32x4.splat(1), f32x4.sqrt(p));
    if (kind === OfOne.tanh) return Functions.tanh(p);
    if (kind === OfOne.sigmoid) return Functions.sigmoid(p);
    if (kind === OfOne.softplus) return Functions.softplus(p);
    if (kind === OfOne.erf) return Functions.erf(p);
    if (kind === OfOne.geluByErf) return Functions.geluByErf(p);
    return Functions.geluByTanh(p);
  }

  @inline
  static ofTwo(kind: OfTwo, a: usize, b: usize, y: usize, many: usize): void {
    for (; many > 0; a += 16, b += 16, y += 16) {
      const value = Each.two(kind, v128.load(a), v128.load(b));
      if (many < 4) {
        storePart(y, value, many);
        return;
      }
      v128.store(y, value);
      many -= 4;
    }
  }

  @inline
  static ofOne(kind: OfOne, a: usize, y: usize, many: usize, constant: f32): void {
    const k = f32x4.splat(constant);
    for (; many > 0; a += 16, y += 16) {
      const value = Each.one(kind, v128.load(a), k);
      if (many < 4) {
        storePart(y, value, many);
        return;
      }
      v128.store(y, value);
      many -= 4;
    }
  }
}

export function add(a: usize, b: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.add, a, b, y, many);
}

export function subtract(a: usize, b: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.subtract, a, b, y, many);
}

export function multiply(a: usize, b: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.multiply, a, b, y, many);
}

export function maskPositive(a: usize, b: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.maskPositive, a, b, y, many);
}

export function geluGradientByErf(d: usize, x: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.geluGradientByErf, d, x, y, many);
}

export function geluGradientByTanh(d: usize, x: usize, y: usize, many: usize): void {
  Each.ofTwo(OfTwo.geluGradientByTanh, d, x, y, many);
}

export function scale(a: usize, y: usize, many: usize, factor: f32): void {
  Each.ofOne(OfOne.scale, a, y, many, factor);
}

export function shift(a: usize, y: usize, many: usize, offset: f32): void {
  Each.ofOne(OfOne.shift, a, y, many, offset);
}

export function exp(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.exp, a, y, many, 0);
}

export function log(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.log, a, y, many, 0);
}

export function reciprocal(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.reciprocal, a, y, many, 0);
}

export function squareRoot(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.squareRoot, a, y, many, 0);
}

export function reciprocalRoot(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.reciprocalRoot, a, y, many, 0);
}

export function tanh(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.tanh, a, y, many, 0);
}

export function sigmoid(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.sigmoid, a, y, many, 0);
}

export function softplus(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.softplus, a, y, many, 0);
}

export function erf(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.erf, a, y, many, 0);
}

export function geluByErf(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.geluByErf, a, y, many, 0);
}

export function geluByTanh(a: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.geluByTanh, a, y, many, 0);
}

/** a * scalar[0] */
export function multiplyScalar(a: usize, scalar: usize, y: usize, many: usize): void {
  Each.ofOne(OfOne.scale, a, y, many, load<f32>(scalar));
}

/** a - scalar[0] * b */
export function descend(a: usize, b: usize, scalar: usize, y: usize, many: usize): void {
  const s = v128.load32_splat(scalar);
  for (; many > 0; a += 16, b += 16, y += 16) {
    const value = f32x4.sub(v128.load(a), f32x4.mul(s, v128.load(b)));
    if (many < 4) {
      storePart(y, value, many);
      return;
    }
    v128.store(y, value);
    many -= 4;
  }
}
