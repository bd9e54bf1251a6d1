/** Thrown by {@link within}. */
class TimeLimitPassed extends Error {
  override readonly name = 'TimeLimitPassed';
  readonly code = 'time-limit-passed';
}

/** The result of `work`, or `TimeLimitPassed` when it takes longer. The work itself goes on, and nobody hears of its end. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TimeLimitPassed(`no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
