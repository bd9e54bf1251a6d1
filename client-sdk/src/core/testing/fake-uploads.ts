import { concatBytes, fromBase64, ProblemError, sha256, toHex } from '@starling/protocol';

/** One upload as the server stages it. */
export class FakeUploads {
  held: Uint8Array = new Uint8Array();
  /** Lengths of the parts that were appended. */
  readonly parts: number[] = [];
  #digest = '';
  #bytes = 0;

  /** What the device announced with `ready`. */
  expect(digest: string, bytes: number): void {
    this.#digest = digest;
    this.#bytes = bytes;
  }

  /** Appends a part; true when the upload is complete. Throws the server's problems. */
  append(headers: Readonly<Record<string, string>>, part: Uint8Array): boolean {
    if (headers['content-type'] !== 'application/offset+octet-stream') {
      throw new ProblemError('unsupported-media-type', 'Not a part of an upload.');
    }
    if (Number(headers['upload-offset']) !== this.held.length) {
      throw new ProblemError('upload-offset-mismatch', 'Continue elsewhere.', { offset: this.held.length });
    }
    this.parts.push(part.length);
    this.held = concatBytes(this.held, part);
    if (headers['upload-complete'] !== '?1') return false;
    const base64 = /^sha-256=:(.*):$/.exec(headers['repr-digest'] ?? '')?.[1] ?? '';
    const found = sha256(this.held);
    if (found !== this.#digest || toHex(fromBase64(base64)) !== found || this.held.length !== this.#bytes) {
      throw new ProblemError('upload-digest-mismatch', 'These are not the announced bytes.');
    }
    return true;
  }
}
