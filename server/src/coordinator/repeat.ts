/** Does `work` again and again, each time `intervalMs` after it last ended. What it returns ends that, after the work at hand. */
export type Repeat = (work: () => Promise<void>, intervalMs: number) => () => Promise<void>;

export const repeat: Repeat = (work, intervalMs) => {
  let stopped = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout;
  const next = () => {
    timer = setTimeout(() => {
      running = work().then(() => {
        if (!stopped) next();
      });
    }, intervalMs);
  };
  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
};
