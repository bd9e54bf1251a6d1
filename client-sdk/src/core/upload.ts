import {
  fromHex,
  ProblemError,
  sha256,
  toBase64,
  type AssignmentId,
  type UploadAnswer,
} from '@starling/protocol';
import { readAnswer } from './requests.ts';
import type { Session } from './session.ts';

/** Largest part of an upload, in bytes. */
export const partBytes = 1 << 20;
/** How often the server may name another offset in a row before the device stops and asks anew. */
const maxCorrections = 5;

/**
 * Hands in an update, from wherever the server says that it stands, in parts. Resolves with the server's
 * acknowledgement: from then on the update is not lost. Rejects when a request fails; called again with the same
 * bytes it goes on, and for an upload that is complete it gets the same answer.
 */
export async function uploadUpdate(
  session: Session,
  id: AssignmentId,
  update: Uint8Array,
  signal?: AbortSignal,
): Promise<UploadAnswer> {
  const path = `/v1/device/assignments/${id}/update`;
  const held = await session.send({ path, method: 'HEAD', signal });
  let offset = Math.min(Number(held.header('upload-offset') ?? 0), update.length);
  for (let corrections = 0; ;) {
    const end = Math.min(offset + partBytes, update.length);
    const isLast = end === update.length;
    try {
      const answer = await session.send({
        path,
        method: 'PATCH',
        headers: {
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
          ...(isLast ? { 'upload-complete': '?1', 'repr-digest': reprDigest(update) } : {}),
        },
        body: update.subarray(offset, end),
        signal,
      });
      if (isLast) return readAnswer<UploadAnswer>(answer, ['state']);
      offset = end;
      corrections = 0;
    } catch (error) {
      const elsewhere = offsetOf(error);
      if (elsewhere === undefined || elsewhere > update.length || ++corrections > maxCorrections) throw error;
      offset = elsewhere;
    }
  }
}

/** The digest of a whole representation (RFC 9530, section 3). */
function reprDigest(bytes: Uint8Array): string {
  return `sha-256=:${toBase64(fromHex(sha256(bytes)))}:`;
}

function offsetOf(error: unknown): number | undefined {
  if (!(error instanceof ProblemError) || error.code !== 'upload-offset-mismatch') return undefined;
  return error.extra.offset;
}
