import { ProblemError } from '@starling/protocol';

/** Bytes by their SHA-256, which the browser keeps: they never change. Throws ProblemError. */
export async function readBlob(sha256: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(`/v1/blobs/${sha256}`);
  if (!answer.ok) throw ProblemError.from(await answer.json().catch(() => undefined), answer.status);
  return new Uint8Array(await answer.arrayBuffer());
}
