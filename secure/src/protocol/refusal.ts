/**
 * Why a message was refused. A refused message has no effect: the state is as before, and nothing was answered.
 *
 * Of any message:
 * - `malformed`: its bytes are not an encoding of anything; `wrong-version`; `wrong-type`;
 * - `wrong-group`: it belongs to another task, round or group, or the group has other terms;
 * - `out-of-phase`: it is not expected yet, or no longer.
 *
 * By a device, of the terms:
 * - `task-not-pinned`, `model-mismatch`: not the task or the base model that the device agreed to;
 * - `minimum-too-low`, `assumption-too-weak`: the group could be smaller, or sparser, than the device allows.
 * Of the roster:
 * - `group-too-small`, `group-too-large`: for the terms or the device (its encoding sums so many at most);
 * - `no-degree`: no graph of this size serves the terms;
 * - `roster-order`, `duplicate-key`: identities that do not ascend, a key that occurs twice;
 * - `own-entry-missing`, `own-entry-changed`, `unknown-identity`, `key-forged`, `weak-key`;
 * - `second-roster`: another roster after the first.
 * Of the nonces: `nonce-mismatch`, `second-nonces`.
 * Of the inbox:
 * - `not-a-neighbour`: a share from one that holds none of the device's own;
 * - `share-not-opened`: sealed by another, for another, for another group, or not at all;
 * - `too-few-shares`, `second-inbox`.
 * Of the update: `wrong-length`, `wrong-ring`.
 * Of the survivors:
 * - `self-not-survivor`, `too-few-survivors`;
 * - `survivor-isolated`: one with fewer neighbours among the survivors than the threshold;
 * - `survivors-not-connected`, `survivor-without-shares`: a neighbour whose share never came;
 * - `second-survivors`: another set after the first.
 * Of the signatures: `signature-forged`, `signature-outsider`, `too-few-signatures`.
 *
 * By the server:
 * - `not-invited`, `not-in-roster`, `wrong-sender`: not who may speak, or one member in another's name;
 * - `key-forged`, `weak-key`, `duplicate-key`, `nonce-mismatch`, `signature-forged`;
 * - `conflicting-message`: another than the one this member sent before;
 * - `late`: after the set was fixed without it;
 * - `not-a-survivor`, `wrong-length`, `wrong-ring`, `digest-mismatch`;
 * - `wrong-share-count`, `wrong-shares`: not exactly one share of the right kind for each neighbour.
 */
export const refusalCodes = [
  'malformed',
  'wrong-version',
  'wrong-type',
  'wrong-group',
  'out-of-phase',
  'task-not-pinned',
  'model-mismatch',
  'minimum-too-low',
  'assumption-too-weak',
  'group-too-small',
  'group-too-large',
  'no-degree',
  'roster-order',
  'duplicate-key',
  'own-entry-missing',
  'own-entry-changed',
  'unknown-identity',
  'key-forged',
  'weak-key',
  'second-roster',
  'nonce-mismatch',
  'second-nonces',
  'not-a-neighbour',
  'share-not-opened',
  'too-few-shares',
  'second-inbox',
  'wrong-length',
  'wrong-ring',
  'self-not-survivor',
  'too-few-survivors',
  'survivor-isolated',
  'survivors-not-connected',
  'survivor-without-shares',
  'second-survivors',
  'signature-forged',
  'signature-outsider',
  'too-few-signatures',
  'not-invited',
  'not-in-roster',
  'wrong-sender',
  'conflicting-message',
  'late',
  'not-a-survivor',
  'digest-mismatch',
  'wrong-share-count',
  'wrong-shares',
] as const;
export type RefusalCode = (typeof refusalCodes)[number];

/** A message that was refused. Its text never holds a secret. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}
