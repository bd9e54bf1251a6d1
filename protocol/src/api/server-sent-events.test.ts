import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Encode } from '../codec/utf8.ts';
import { ServerSentEvents } from './server-sent-events.ts';

const stream = utf8Encode(
  ': hello\n\nid: a-1\nevent: event\ndata: {"name":"Zoë 🐦"}\n\n: still here\n\ndata: one\r\ndata:two\r\n\r\nevent: unfinished\ndata: x\n',
);
const messages = [
  { id: 'a-1', event: 'event', data: '{"name":"Zoë 🐦"}' },
  { id: 'a-1', event: 'message', data: 'one\ntwo' },
];

describe('a reader of server-sent events', () => {
  it('gives the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: stream.length - 1 })), (cuts) => {
        const places = [0, ...cuts.sort((left, right) => left - right), stream.length];
        const reader = new ServerSentEvents();
        const read = places
          .slice(1)
          .flatMap((end, index) => reader.push(stream.subarray(places[index], end)));
        expect(read).toEqual(messages);
      }),
    );
  });
});
