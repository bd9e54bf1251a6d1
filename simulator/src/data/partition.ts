import { classesOf, inputShape } from './examples.ts';
import type { Pack } from './fedpack.ts';
import { PackError } from './pack-error.ts';
import { quoted } from './quoted.ts';

/** Who trains and who is only judged: ids of users. Nobody is in both. */
export interface Partition {
  readonly train: readonly string[];
  readonly heldOut: readonly string[];
}

/**
 * Holds out the people of one fold of a pack; everybody else trains.
 * @throws PackError `pack-too-few-users`, `pack-no-folds` or `pack-unknown-fold`.
 */
export function partition(pack: Pack, { fold }: { readonly fold: number }): Partition {
  if (pack.users.length < 2)
    throw new PackError(
      'pack-too-few-users',
      pack.path,
      `it has ${pack.users.length} user${pack.users.length === 1 ? '' : 's'}; people who train and people who are held out need two at least. Choose a pack of several users.`,
    );
  const without = pack.users.find((user) => user.fold === undefined);
  if (without !== undefined)
    throw new PackError(
      'pack-no-folds',
      pack.path,
      `user ${quoted(without.id)} has no fold; every user needs one to be held out by fold. Add users[].fold, or hold out the users of another pack (--holdout DIR).`,
    );
  const inFold = (held: boolean) =>
    pack.users.filter((user) => (user.fold === fold) === held).map((user) => user.id);
  const [train, heldOut] = [inFold(false), inFold(true)];
  if (train.length > 0 && heldOut.length > 0) return { train, heldOut };
  const folds = [...new Set(pack.users.map((user) => user.fold!))].sort((a, b) => a - b);
  throw new PackError(
    'pack-unknown-fold',
    pack.path,
    `holding out fold ${fold} leaves ${train.length} users to train and ${heldOut.length} to judge; the folds are ${folds.join(', ')}. Choose one of several.`,
  );
}

/**
 * All users of one pack train, all users of another are judged.
 * @throws PackError `pack-mismatch` when the two do not have the same rows and classes or are the same data,
 * `pack-too-few-users` when one of them is empty.
 */
export function partitionByPacks(train: Pack, holdout: Pack): Partition {
  if (train.sha256 === holdout.sha256)
    throw new PackError(
      'pack-mismatch',
      holdout.path,
      `it holds the same data as the training pack ${quoted(train.path)}; people who are judged must not train. Choose another pack to hold out.`,
    );
  requireEqual(train, holdout, 'the shape of a row', (pack) => inputShape(pack).join(' x '));
  requireEqual(train, holdout, 'the classes, in order,', (pack) => classesOf(pack).map(quoted).join(', '));
  for (const pack of [train, holdout])
    if (pack.users.length === 0)
      throw new PackError('pack-too-few-users', pack.path, 'it has no users. Choose a pack with some.');
  return { train: train.users.map((user) => user.id), heldOut: holdout.users.map((user) => user.id) };
}

function requireEqual(train: Pack, holdout: Pack, what: string, of: (pack: Pack) => string): void {
  const [trained, held] = [of(train), of(holdout)];
  if (trained === held) return;
  throw new PackError(
    'pack-mismatch',
    holdout.path,
    `${what} must be as in the training pack ${quoted(train.path)}: ${trained}, and not ${held}. Choose two packs of the same kind.`,
  );
}
