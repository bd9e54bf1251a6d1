/** Why a data set could not be fetched. */
export type DataFetchErrorCode =
  /** The publisher could not be reached, or answered with an error. */
  | 'fetch-network'
  /** The file given by hand cannot be read. */
  | 'fetch-file'
  /** More bytes than such an archive can have. */
  | 'fetch-too-large'
  /** Not the bytes that were pinned. */
  | 'fetch-digest'
  /** Not an archive of the expected structure. */
  | 'fetch-archive'
  /** An archive whose contents are not what the publisher describes. */
  | 'fetch-facts';

/** A data set that could not be fetched or is not what it should be. Nothing was written. */
export class DataFetchError extends Error {
  override readonly name = 'DataFetchError';
  readonly code: DataFetchErrorCode;

  constructor(code: DataFetchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
