export {
  BytesError,
  fromBase64,
  fromBase64Url,
  toBase64,
  toBase64Url,
  toHex,
  utf8Decode,
  utf8Encode,
} from './bytes.ts';
export { CanonicalJsonError, canonicalJson, digestJson } from './canonical-json.ts';
export { isSha256, sha256, Sha256Hasher, type Sha256 } from './digest.ts';
export {
  digestTensors,
  readSafetensors,
  SafetensorsError,
  writeSafetensors,
  type Dtype,
  type ReadLimits,
  type SafetensorsProblem,
  type Tensor,
  type TensorData,
} from './safetensors.ts';
