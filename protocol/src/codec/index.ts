export { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
export { concatBytes, fromHex, toHex } from './bytes.ts';
export {
  canonicalJson,
  CanonicalJsonError,
  digestJson,
  type CanonicalJsonErrorCode,
} from './canonical-json.ts';
export { DigestError, parseSha256, sha256, Sha256Hasher, type Sha256 } from './digest.ts';
export { digestTensors } from './digest-tensors.ts';
export { EncodingError, type EncodingErrorCode } from './encoding-error.ts';
export { readSafetensors, type SafetensorsFile, type SafetensorsLimits } from './read-safetensors.ts';
export { SafetensorsError, type SafetensorsErrorCode } from './safetensors-error.ts';
export type { Dtype, Tensor, TensorOf } from './tensor.ts';
export { utf8Decode, utf8Encode } from './utf8.ts';
export { wasmExports } from './wasm-exports.ts';
export { writeSafetensors } from './write-safetensors.ts';
