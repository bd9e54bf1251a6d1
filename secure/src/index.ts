export {
  assertSumFits,
  decode,
  encode,
  FixedPointError,
  lanesOf,
  SumOverflow,
  type FixedPointBlock,
  type FixedPointProblem,
} from './fixed-point.ts';
export { IdentityError, identityFromSeed, sign, verify, type Identity } from './identity.ts';
