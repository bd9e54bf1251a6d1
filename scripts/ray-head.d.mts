export interface RealRayHead {
  readonly url: string;
  readonly token: string;
  /** What its processes name on their command lines. */
  readonly directory: string;
  /** As a machine that dies: the jobs that it ran are not told. */
  kill(): Promise<void>;
  /** Another head at the same address, which knows nothing of the first one's jobs. */
  restart(): Promise<RealRayHead>;
  /** Ends it, and removes what it wrote. */
  stop(): Promise<void>;
}
export declare function startRayHead(python: string): Promise<RealRayHead>;
