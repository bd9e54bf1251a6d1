import { randomBytes } from 'node:crypto';
import {
  makeId,
  type Assignment,
  type DeviceId,
  type GroupId,
  type IdKind,
  type IdOf,
  type LiveEvent,
  type ProjectId,
} from '@starling/protocol';
import type { Cloud } from '../training/cloud.ts';
import type { BlobStore } from '../storage/blobs.ts';
import type { Database } from '../storage/database.ts';
import type { Budget } from './budget.ts';
import type { DeviceBatches } from './batches.ts';
import type { LiveGroups } from './live-groups.ts';
import type { Models } from './models.ts';
import type { Nodes } from './nodes.ts';
import type { Presence } from './presence.ts';
import type { RoundBook } from './round-facts.ts';
import type { RoundSums } from './round-sums.ts';
import type { Staging } from './staging.ts';

/** What the coordinator tells others: hints, sent after the transaction that they report. */
export interface Announcements {
  /** An assignment was offered, or moved by the server's doing. */
  assignment(deviceId: DeviceId, assignment: Assignment): void;
  /** A device's group has a message for it. */
  group(deviceId: DeviceId, groupId: GroupId): void;
  /** A device was revoked: its connections end. */
  revoked(deviceId: DeviceId): void;
  /** Something that an admin may be watching. */
  live(projectId: ProjectId, event: LiveEvent): void;
}

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Everything that the coordinator's operations stand on. */
export interface Context {
  database: Database;
  blobs: BlobStore;
  staging: Staging;
  presence: Presence;
  models: Models;
  rounds: RoundBook;
  sums: RoundSums;
  /** Where jobs in the cloud run, and on which data. */
  cloud: Cloud;
  groups: LiveGroups;
  batches: DeviceBatches;
  /** Memory for clear updates between their last byte and the sum. */
  verifying: Budget;
  nodes: Nodes;
  announce: Announcements;
  log: Log;
  /** Work that nobody waits for; a server that ends lets it end first. */
  background: Set<Promise<void>>;
  /** Called at named points between two durable steps; tests end the process there. */
  failpoint(name: Failpoint): void;
}

export const failpoints = [
  'round-opened',
  'devices-offered',
  'assignment-accepted',
  'assignment-ready',
  'group-formed',
  'upload-part-staged',
  'upload-verified',
  'upload-recorded',
  'group-sum-kept',
  'group-summed',
  'round-closed',
  'version-stored',
  'round-published',
] as const;
export type Failpoint = (typeof failpoints)[number];

export function newId<K extends IdKind>(kind: K): IdOf[K] {
  return makeId(kind, randomBytes(16).toString('base64url'));
}
