import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesFrom, writeFrame, type Frame, type FrameKind } from './frames.ts';

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom<FrameKind>('s', 'r', 'q', 'a'),
    worker: fc.nat(),
    body: fc.uint8Array({ maxLength: 40 }),
  }),
);

async function read(stream: Readable): Promise<Frame[]> {
  const found: Frame[] = [];
  for await (const frame of framesFrom(stream)) found.push({ ...frame, body: new Uint8Array(frame.body) });
  return found;
}

describe('frames', () => {
  it('come out of a stream as they went in, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.integer({ min: 1, max: 50 }), async (sent, size) => {
        const stream = new PassThrough();
        for (const frame of sent) writeFrame(stream, frame);
        stream.end();
        const bytes = Buffer.concat((await stream.toArray()) as Buffer[]);
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, place) =>
          bytes.subarray(place * size, (place + 1) * size),
        );
        expect(await read(Readable.from(chunks))).toEqual(sent);
      }),
    );
  });

  it('are dropped where the stream ends within one', async () => {
    const stream = new PassThrough();
    writeFrame(stream, { kind: 'q', worker: 1, body: new Uint8Array(5) });
    stream.end();
    const bytes = Buffer.concat((await stream.toArray()) as Buffer[]);
    expect(await read(Readable.from([bytes, bytes.subarray(0, 11)]))).toHaveLength(1);
  });
});
