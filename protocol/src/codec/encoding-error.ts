export type EncodingErrorCode = 'invalid-utf8' | 'lone-surrogate' | 'invalid-base64' | 'invalid-hex';

/** Text that is not what it should encode, or bytes that are not text. `offset` counts units of the input. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
  readonly code: EncodingErrorCode;
  readonly offset: number;

  constructor(code: EncodingErrorCode, offset: number, message: string) {
    super(message);
    this.code = code;
    this.offset = offset;
  }
}
