/** Whether the device was told to stop; a function, since the answer changes while others wait. */
export function hasStopped(signal: AbortSignal): boolean {
  return signal.aborted;
}
