import { quoted } from './quoted.ts';

/** Why a pack was refused. A code keeps its meaning; the text may change. */
export type PackErrorCode =
  // the directory and its two files
  | 'pack-missing'
  | 'pack-index-unreadable'
  | 'pack-format'
  | 'pack-version'
  | 'pack-field'
  | 'pack-file-size'
  | 'pack-file-digest'
  // arrays
  | 'pack-array-dtype'
  | 'pack-array-alignment'
  | 'pack-array-bounds'
  | 'pack-array-length'
  | 'pack-array-overlap'
  | 'pack-array-scale'
  // users and labels
  | 'pack-user-duplicate'
  | 'pack-user-rows'
  | 'pack-label'
  | 'pack-class-counts'
  // a sound pack that does not serve what was asked of it
  | 'pack-unknown-user'
  | 'pack-unknown-array'
  | 'pack-no-labels'
  | 'pack-no-features'
  | 'pack-not-finite'
  | 'pack-too-few-users'
  | 'pack-no-folds'
  | 'pack-unknown-fold'
  | 'pack-mismatch'
  | 'pack-no-model'
  // writing
  | 'pack-exists';

/** A pack that cannot be read, or cannot be used for what was asked: `code` says which, `path` names the pack. */
export class PackError extends Error {
  override readonly name = 'PackError';
  readonly code: PackErrorCode;
  /** The directory of the pack, or `memory:NAME` for one that was never on disk. */
  readonly path: string;

  constructor(code: PackErrorCode, path: string, message: string) {
    super(`Pack ${quoted(path)}: ${message}`);
    this.code = code;
    this.path = path;
  }
}
