import type { LiveEvent } from '@starling/protocol';

/** `GET /v1/events`, read as it comes. */
export interface EventStream {
  /** What it told so far. */
  readonly events: readonly LiveEvent[];
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export async function eventStream(url: string, headers: Record<string, string>): Promise<EventStream> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/v1/events`, { headers, signal: abort.signal });
  if (!answer.ok || !answer.body) throw new Error(`The stream was refused: ${answer.status}.`);
  const events: LiveEvent[] = [];
  const read = async (body: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of body) {
      const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) events.push(JSON.parse(data) as LiveEvent); // no gap: it begins here
      }
    }
  };
  const ended = read(answer.body).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return {
    events,
    ended,
    close: () => {
      abort.abort();
      return ended;
    },
  };
}
