export { mixedProvider } from './crypto/mixed.ts';
export type { CryptoProvider, KeyPair, RandomBytes } from './crypto/provider.ts';
export { SecureError, type SecureProblem } from './crypto/secure-error.ts';
export { tweetnaclProvider } from './crypto/tweetnacl.ts';
export { webCryptoProvider, type Subtle } from './crypto/webcrypto.ts';
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
export {
  hasStrictForm,
  IdentityError,
  identityFromSeed,
  sign,
  signWith,
  verify,
  verifyWith,
  type Identity,
} from './identity.ts';
export { bestMasks, javaScriptMasks, wasmMasks, type Masks } from './masks/index.ts';
export { combine, split, type Share } from './shamir/index.ts';
export { degreeFor, DegreeError, type Degree } from './groups/degree.ts';
export { isInTree, merkleProof, merkleRoot } from './groups/merkle.ts';
export { encodeEntry, rosterRoot, type RosterEntry } from './groups/roster.ts';
export {
  joinGroup,
  lastMessages,
  stepClient,
  type ClientEnvironment,
  type ClientEvent,
  type ClientMessage,
  type ClientStep,
} from './protocol/client-machine.ts';
export type { DevicePolicy } from './protocol/client-rules.ts';
export {
  clientTransitions,
  eraseSuperseded,
  loadClientState,
  saveClientState,
  StoredStateError,
  type ClientPhase,
  type ClientState,
} from './protocol/client-state.ts';
export { quorumOf } from './protocol/layout.ts';
export { applyMasks, splitRange, type CoordinateRange, type MaskTerm } from './protocol/masking.ts';
export {
  decodeUpload,
  kindOf,
  type MessageKind,
  type Outcome,
  type UploadHeader,
} from './protocol/messages.ts';
export { Refusal, refusalCodes, type RefusalCode } from './protocol/refusal.ts';
export {
  openGroup,
  pendingMessages,
  stepServer,
  type ServerEnvironment,
  type ServerEvent,
  type ServerMessage,
  type ServerStep,
} from './protocol/server-machine.ts';
export {
  serverTransitions,
  type ServerPhase,
  type ServerState,
  type ServerSummed,
} from './protocol/server-state.ts';
export { contextOf, decodeTerms, encodeTerms, type GroupTerms } from './protocol/terms.ts';
export {
  newVector,
  vectorOf,
  wordsToBytes,
  type Ring,
  type RingVector,
  type StagedWords,
} from './protocol/words.ts';
export {
  decodeRingSum,
  encodeForRing,
  ringLayout,
  RingSumError,
  spareBits,
  type RingLayout,
  type RingSum,
} from './ring-encoding.ts';
