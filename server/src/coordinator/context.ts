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
  type RoundId,
} from '@starling/protocol';
import type { Observer } from '../observability/observer.ts';
import type { Cloud } from '../training/cloud.ts';
import type { BlobStore } from '../storage/blobs.ts';
import type { Database } from '../storage/database.ts';
import type { GroupPost } from './group-post.ts';
import type { Budget } from './budget.ts';
import type { DeviceBatches } from './batches.ts';
import type { LiveGroups } from './live-groups.ts';
import type { Models } from './models.ts';
import type { Nodes } from './nodes.ts';
import type { Presence } from './presence.ts';
import type { Repeat } from './repeat.ts';
import type { RoundBook } from './round-facts.ts';
import type { RoundSums } from './round-sums.ts';
import type { Staging } from './staging.ts';
import type { UpdateBuffers } from './update-buffers.ts';

/** What the coordinator tells others: hints, sent after the transaction that they report. */
export interface Announcements {
  /** An assignment was offered, or moved by the server's doing. */
  assignment(deviceId: DeviceId, assignment: Assignment): void;
  /** A device's group has a message for it. */
  group(deviceId: DeviceId, groupId: GroupId): void;
  /** A device was revoked: its connections end. */
  revoked(deviceId: DeviceId): void;
  /** Devices came further in a round. */
  arrived(projectId: ProjectId, roundId: RoundId): void;
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
  /** To the groups, whichever node holds them. */
  post: GroupPost;
  batches: DeviceBatches;
  /** For updates that lie in memory on their way to the sum. */
  inMemory: Budget;
  buffers: UpdateBuffers;
  nodes: Nodes;
  announce: Announcements;
  log: Log;
  observer: Observer;
  /** What is done again and again: by timers, unless something else drives it. */
  repeat: Repeat;
  /** Work that nobody waits for; a server that ends lets it end first. */
  background: Set<Promise<void>>;
  /** Called at named points, mostly between two durable steps; tests end the process there. */
  failpoint(name: Failpoint): void;
}

export const failpoints = [
  'request-claimed',
  'answer-kept',
  'device-enrolled',
  'session-opened',
  'task-created',
  'deadline-due',
  'round-abandoned',
  'round-opened',
  'devices-offered',
  'assignment-accepted',
  'training-started',
  'assignment-ready',
  'assignment-dropped',
  'group-formed',
  'upload-part-staged',
  'upload-verified',
  'upload-recorded',
  'group-keys',
  'group-reveals',
  'group-shares',
  'group-uploads',
  'masked-update-staged',
  'masked-update-added',
  'group-signing',
  'group-unmasking',
  'group-sum-kept',
  'group-summed',
  'group-aborted',
  'round-closed',
  'version-stored',
  'round-published',
  'round-tidied',
  'job-prepared',
  'job-submitted',
  'job-running',
  'job-result-stored',
  'job-published',
  'strays-discarded',
  'versions-pruned',
  'blob-removed',
] as const;
export type Failpoint = (typeof failpoints)[number];

export function newId<K extends IdKind>(kind: K): IdOf[K] {
  return makeId(kind, randomBytes(16).toString('base64url'));
}
