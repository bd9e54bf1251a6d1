import { coordinatorCases } from './coordinator/cases.ts';
import { consoleCases } from './console/cases.ts';
import type { Report } from './lines.ts';
import { cases as secureCases } from './secure/cases.ts';
import { simulateCases } from './simulate/cases.ts';

export interface CaseOptions {
  /** A Python that has flwr; for `simulate` with its extra `simulation`, and torch. */
  readonly flower?: string;
  /** URL of an empty PostgreSQL database. */
  readonly postgres?: string;
}

/** By name, in the order in which they are run: each in a process of its own. */
export type Cases = Readonly<Record<string, (report: Report, options: CaseOptions) => Promise<void>>>;

export const benches: Readonly<Record<string, Cases>> = {
  secure: secureCases,
  coordinator: coordinatorCases,
  console: consoleCases,
  simulate: simulateCases,
};
