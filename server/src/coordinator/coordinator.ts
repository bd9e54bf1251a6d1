import type {
  Assignment,
  AssignmentId,
  CheckInAnswer,
  ControlMessage,
  DeviceId,
  EvaluationSpec,
  GroupId,
  GroupMail,
  ProjectId,
  Round,
  RoundId,
  ServedModel,
  Task,
  TaskId,
  TaskRequest,
  UploadAnswer,
  VersionId,
} from '@starling/protocol';
import { ProblemError } from '@starling/protocol';
import { Batches } from '../storage/batches.ts';
import type { Context } from './context.ts';
import { announceAssignments } from './announce.ts';
import { control, currentAssignment } from './control.ts';
import { Poller, releaseLeases } from './poller.ts';
import { discardStrays } from './retention.ts';
import { offerRound, settleRound } from './rounds.ts';
import { liveStates } from './rows.ts';
import { delayFrom, delayWindow, type DelayWindow } from './steering.ts';
import { abortForgottenGroups, hearMember, mailOf } from './secure-groups.ts';
import {
  cancelTask,
  createTask,
  pauseTask,
  refuseBesideSecureTasks,
  requestEvaluation,
  startTask,
} from './tasks.ts';
import { receivePart, uploadOffset, type UploadPart } from './uploads.ts';
import { readTask, readVersion, servedModel } from './views.ts';

/** Delay of a device that polls and has no work, when no plan says otherwise. */
const defaultPace = { minDelayMs: 1_000, maxDelayMs: 3_000 };

/** The coordinator's operations, and its poller. Everything durable is in the database and the blob store. */
export class Coordinator {
  readonly context: Context;
  readonly #poller: Poller;
  readonly #pace: Batches<ProjectId, DelayWindow>;

  constructor(context: Context, pollIntervalMs: number) {
    this.context = context;
    this.#poller = new Poller(context, pollIntervalMs);
    this.#pace = new Batches(async (projectIds) => {
      const rows = await context.database.query<{ project_id: ProjectId; pace: DelayWindow | null }>(
        `select distinct on (project_id) project_id, plan -> 'pace' as pace from tasks
          where project_id = any($1) and state = 'running' order by project_id, created_at`,
        [projectIds],
      );
      const paces = new Map(rows.map((row) => [row.project_id, row.pace]));
      return projectIds.map((id) => paces.get(id) ?? defaultPace);
    });
  }

  /** Tidies what a crash left behind and starts firing deadlines. `alone`: no other node can be alive. */
  async start(alone: boolean): Promise<void> {
    const { staging, nodes, log } = this.context;
    await staging.prepare();
    await nodes.join(alone, (error) => {
      log.error({ error }, 'this node could not say that it lives; trying again');
    });
    await refuseBesideSecureTasks(this.context);
    await releaseLeases(this.context);
    await abortForgottenGroups(this.context);
    await discardStrays(this.context);
    this.#poller.start();
  }

  stop(): Promise<void> {
    return this.#poller.stop();
  }

  /** Ends what nobody waits for, and this node's place among the others. */
  async leave(): Promise<void> {
    await this.stop();
    while (this.context.background.size > 0) await Promise.all(this.context.background);
    await this.context.nodes.leave();
  }

  createTask(projectId: ProjectId, request: TaskRequest): Promise<Task> {
    return createTask(this.context, projectId, request);
  }
  startTask(id: TaskId): Promise<Task> {
    return startTask(this.context, id, 'draft');
  }
  resumeTask(id: TaskId): Promise<Task> {
    return startTask(this.context, id, 'paused');
  }
  pauseTask(id: TaskId): Promise<Task> {
    return pauseTask(this.context, id);
  }
  cancelTask(id: TaskId): Promise<Task> {
    return cancelTask(this.context, id);
  }
  requestEvaluation(id: TaskId, spec: EvaluationSpec, version: VersionId | undefined): Promise<Round> {
    return requestEvaluation(this.context, id, spec, version);
  }

  control(deviceId: DeviceId, id: AssignmentId, message: ControlMessage): Promise<Assignment> {
    return control(this.context, deviceId, id, message);
  }
  uploadOffset(deviceId: DeviceId, id: AssignmentId): Promise<number> {
    return uploadOffset(this.context, deviceId, id);
  }
  receivePart(deviceId: DeviceId, id: AssignmentId, part: UploadPart): Promise<UploadAnswer> {
    return receivePart(this.context, deviceId, id, part);
  }

  groupMail(deviceId: DeviceId, id: GroupId): Promise<GroupMail> {
    return mailOf(this.context, deviceId, id);
  }
  hearMember(deviceId: DeviceId, id: GroupId, bytes: Uint8Array): Promise<GroupMail> {
    return hearMember(this.context, deviceId, id, bytes);
  }

  /** A device came online: rounds that are looking for devices may want it. */
  async deviceOnline(projectId: ProjectId): Promise<void> {
    await this.context.batches.online.add(projectId);
  }

  /** Where a device stands; a device without a socket is present from here until it should ask again. */
  async checkIn(deviceId: DeviceId, projectId: ProjectId): Promise<CheckInAnswer> {
    const window = delayWindow(await this.#pace.add(projectId), this.context.presence.waiting(projectId));
    const retryAfterMs = delayFrom(window, Math.random());
    this.context.presence.poll(deviceId, projectId, retryAfterMs);
    let assignment = await currentAssignment(this.context, deviceId);
    if (!assignment && !this.context.presence.hasSocket(deviceId)) {
      await this.deviceOnline(projectId);
      assignment = await currentAssignment(this.context, deviceId);
    }
    return { assignment, retryAfterMs };
  }

  /** The version of a task that devices of its project are served. */
  async servedModel(projectId: ProjectId, id: TaskId): Promise<ServedModel> {
    const task = await readTask(this.context.database, id);
    if (task.project_id !== projectId) throw new ProblemError('not-found', `There is no task ${id}.`);
    const version = task.served_version ?? task.current_version;
    return servedModel(task, await readVersion(this.context.database, version));
  }

  /** Revokes a device: its assignment is dropped and it gets no other. */
  async revokeDevice(projectId: ProjectId, id: DeviceId): Promise<void> {
    const { database } = this.context;
    const [row] = await database.query(
      "update devices set state = 'revoked' where id = $1 and project_id = $2 returning id",
      [id, projectId],
    );
    if (!row) throw new ProblemError('not-found', `There is no device ${id}.`);
    const dropped = await database.query<{ id: AssignmentId; round_id: RoundId }>(
      `update assignments set state = 'dropped', reason = 'device-revoked', ended_at = now()
        where device_id = $1 and state = any($2)
        returning id, round_id`,
      [id, liveStates],
    );
    await announceAssignments(
      this.context,
      dropped.map((assignment) => assignment.id),
    );
    this.context.presence.forget(id);
    this.context.announce.revoked(id);
    for (const { round_id: roundId } of dropped) {
      await offerRound(this.context, roundId);
      await settleRound(this.context, roundId);
    }
    this.context.announce.live(projectId, { kind: 'device', deviceId: id, change: 'revoked' });
  }
}
