import { concatBytes } from '../codec/bytes.ts';
import { utf8Decode } from '../codec/utf8.ts';

/** One message of an event stream (HTML Standard, section 9.2). */
export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

const lineFeed = 0x0a;

/** Reads an event stream from bytes that arrive in pieces of any size. Lines end with LF or CR LF. */
export class ServerSentEvents {
  #rest = new Uint8Array();
  #id = '';
  #event = 'message';
  #data: string[] = [];

  /** The messages that this piece completes. */
  push(piece: Uint8Array): ServerSentEvent[] {
    const bytes = concatBytes(this.#rest, piece);
    const end = bytes.lastIndexOf(lineFeed) + 1; // no byte of a longer character is a line feed
    this.#rest = bytes.slice(end);
    const messages: ServerSentEvent[] = [];
    for (const line of utf8Decode(bytes.subarray(0, end)).split(/\r?\n/).slice(0, -1)) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      if (this.#data.length > 0) {
        messages.push({ id: this.#id, event: this.#event, data: this.#data.join('\n') });
      }
      this.#event = 'message';
      this.#data = [];
    }
    return messages;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id') this.#id = value;
  }
}
