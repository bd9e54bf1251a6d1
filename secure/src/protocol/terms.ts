/** What a group agrees on before anything else: the first message, and the context that names the group everywhere. */
import { concatBytes, utf8Encode } from '@starling/protocol';
import type { CryptoProvider } from '../crypto/provider.ts';
import { integer, Reader, shortText } from './bytes.ts';
import { messageType, protocolVersion } from './messages.ts';
import { Refusal } from './refusal.ts';
import type { Ring } from './words.ts';

export interface GroupTerms {
  /** Names of 1 to 255 bytes of UTF-8. */
  readonly task: string;
  readonly round: string;
  readonly group: string;
  /** SHA-256 of the task's model IR and plan: what the device approved. 32 bytes. */
  readonly taskDigest: Uint8Array;
  /** Digest of the base model's version: 32 bytes. */
  readonly modelDigest: Uint8Array;
  readonly ring: Ring;
  /** Coordinates of an update, 1 to 2^32 - 1. */
  readonly length: number;
  /** Fewest updates that a sum may be of, 3 to 65,535. */
  readonly minimum: number;
  /** Members that may work with the server, and members that may drop out, in thousandths of the group. */
  readonly corruptPermille: number;
  readonly dropOutPermille: number;
  /** Bits of `degreeFor`, 1 to 255. */
  readonly privacyBits: number;
  readonly correctnessBits: number;
}

/** TERMS, byte by byte as in docs/secure-aggregation.md. Throws RangeError where a value has no encoding. */
export function encodeTerms(terms: GroupTerms): Uint8Array {
  const bytes = concatBytes(
    integer(protocolVersion, 1),
    integer(messageType.terms, 1),
    shortText(terms.task),
    shortText(terms.round),
    shortText(terms.group),
    terms.taskDigest,
    terms.modelDigest,
    integer(terms.ring, 1),
    integer(terms.length, 4),
    integer(terms.minimum, 2),
    integer(terms.corruptPermille, 2),
    integer(terms.dropOutPermille, 2),
    integer(terms.privacyBits, 1),
    integer(terms.correctnessBits, 1),
  );
  decodeTerms(bytes);
  return bytes;
}

/** Reads TERMS. Throws {@link Refusal} `malformed`, `wrong-version`, `wrong-type`. */
export function decodeTerms(bytes: Uint8Array): GroupTerms {
  const reader = new Reader(bytes);
  const version = reader.integer(1);
  if (version !== protocolVersion) {
    throw new Refusal('wrong-version', `Version ${version} of SA; ${protocolVersion} was expected.`);
  }
  const type = reader.integer(1);
  if (type !== messageType.terms)
    throw new Refusal('wrong-type', `Message type ${type} instead of the terms.`);
  const terms = {
    task: reader.shortText(),
    round: reader.shortText(),
    group: reader.shortText(),
    taskDigest: reader.bytes(32),
    modelDigest: reader.bytes(32),
    ring: reader.integer(1),
    length: reader.integer(4),
    minimum: reader.integer(2),
    corruptPermille: reader.integer(2),
    dropOutPermille: reader.integer(2),
    privacyBits: reader.integer(1),
    correctnessBits: reader.integer(1),
  };
  reader.end();
  const { ring } = terms;
  if (
    (ring !== 16 && ring !== 32) ||
    terms.length < 1 ||
    terms.minimum < 3 ||
    terms.corruptPermille > 999 ||
    terms.dropOutPermille > 999 ||
    terms.privacyBits < 1 ||
    terms.correctnessBits < 1
  ) {
    throw new Refusal('malformed', 'A number of the terms is out of its range.');
  }
  return { ...terms, ring };
}

/** SHA-256("starling/sa1/terms" 0x00 TERMS): the 32 bytes by which every later message names its group. */
export function contextOf(terms: Uint8Array, crypto: Pick<CryptoProvider, 'sha256'>): Promise<Uint8Array> {
  return crypto.sha256(concatBytes(utf8Encode('starling/sa1/terms\0'), terms));
}
