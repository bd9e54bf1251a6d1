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
import { fromBase64Url, fromHex, ProblemError, toBase64Url } from '@starling/protocol';
import type { DeviceIdentity } from '../devices/sessions.ts';
import { Batches } from '../storage/batches.ts';
import type { Commit } from '../storage/database.ts';
import type { Context } from './context.ts';
import { announceAssignments } from './announce.ts';
import { control, currentAssignment, dropHere } from './control.ts';
import type { GroupRequest } from './group-post.ts';
import { Poller, releaseLeases } from './poller.ts';
import { discardStrays } from './retention.ts';
import { offerRound } from './round-selection.ts';
import { settleRound } from './round-end.ts';
import { liveStates } from './rows.ts';
import { delayFrom, delayWindow, type DelayWindow } from './steering.ts';
import { abandonGroup, abortForgottenGroups, hearMember, mailOf, receiveMasked } from './secure-groups.ts';
import { cancelTask, createTask, pauseTask, requestEvaluation, startTask } from './tasks.ts';
import { freeUploads } from './upload-writers.ts';
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
    context.post.open({
      answer: (request) => this.#answer(request),
      abandon: (groupId) => abandonGroup(context, groupId),
    });
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
    await releaseLeases(this.context);
    await freeUploads(this.context);
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

  createTask(projectId: ProjectId, request: TaskRequest, commit: Commit<Task>): Promise<Task> {
    return createTask(this.context, projectId, request, commit);
  }
  startTask(id: TaskId, commit: Commit<Task>): Promise<Task> {
    return startTask(this.context, id, 'draft', commit);
  }
  resumeTask(id: TaskId, commit: Commit<Task>): Promise<Task> {
    return startTask(this.context, id, 'paused', commit);
  }
  pauseTask(id: TaskId, commit: Commit<Task>): Promise<Task> {
    return pauseTask(this.context, id, commit);
  }
  cancelTask(id: TaskId, commit: Commit<Task>): Promise<Task> {
    return cancelTask(this.context, id, commit);
  }
  requestEvaluation(
    id: TaskId,
    spec: EvaluationSpec,
    version: VersionId | undefined,
    commit: Commit<Round>,
  ): Promise<Round> {
    return requestEvaluation(this.context, id, spec, version, commit);
  }

  control(device: DeviceIdentity, id: AssignmentId, message: ControlMessage): Promise<Assignment> {
    return control(this.context, device, id, message);
  }
  uploadOffset(deviceId: DeviceId, id: AssignmentId): Promise<number> {
    return uploadOffset(this.context, deviceId, id);
  }
  receivePart(deviceId: DeviceId, id: AssignmentId, part: UploadPart): Promise<UploadAnswer> {
    return receivePart(this.context, deviceId, id, part);
  }

  groupMail(deviceId: DeviceId, id: GroupId): Promise<GroupMail> {
    return this.#mail({ kind: 'mail', deviceId, groupId: id });
  }
  hearMember(deviceId: DeviceId, id: GroupId, bytes: Uint8Array): Promise<GroupMail> {
    return this.#mail({ kind: 'message', deviceId, groupId: id, message: toBase64Url(bytes) });
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

  /**
   * Revokes a device: its assignment is dropped and it gets no other. What a secure group's sum holds of it already cannot
   * be taken out, so that stays and is counted.
   */
  async revokeDevice(projectId: ProjectId, id: DeviceId): Promise<void> {
    const { database } = this.context;
    const dropped = await database.tx(async (tx) => {
      const [row] = await tx.query(
        "update devices set state = 'revoked' where id = $1 and project_id = $2 returning id",
        [id, projectId],
      );
      if (!row) throw new ProblemError('not-found', `There is no device ${id}.`);
      return tx.query<{ id: AssignmentId; round_id: RoundId }>(
        `update assignments a set state = 'dropped', reason = 'device-revoked', ended_at = now()
          where device_id = $1 and state = any($2)
            and not exists (select 1 from groups g where g.id = a.group_id and g.secure)
          returning id, round_id`,
        [id, liveStates],
      );
    });
    this.context.presence.forget(id);
    this.context.announce.revoked(id); // before its group is asked: that may be at a node that does not answer
    const [member] = await database.query<{ id: AssignmentId; group_id: GroupId }>(
      "select id, group_id from assignments where device_id = $1 and state = 'grouped'",
      [id],
    );
    if (member) await this.#removeMember(id, member.id, member.group_id);
    await announceAssignments(
      this.context,
      dropped.map((assignment) => assignment.id),
    );
    for (const { round_id: roundId } of dropped) {
      await offerRound(this.context, projectId, roundId);
      await settleRound(this.context, roundId);
    }
    this.context.announce.live(projectId, { kind: 'device', deviceId: id, change: 'revoked' });
  }

  /** Takes a revoked device out of its group, at whichever node holds that. */
  async #removeMember(deviceId: DeviceId, assignmentId: AssignmentId, groupId: GroupId): Promise<void> {
    const { context } = this;
    const leave = {
      kind: 'leave',
      deviceId,
      groupId,
      assignmentId,
      reason: 'device-revoked',
      detail: '',
    } as const;
    await context.post.ask(leave).catch(async (error: unknown) => {
      const [still] = await context.database.query(
        "select 1 from assignments where id = $1 and state = 'grouped'",
        [assignmentId],
      );
      if (still) throw error; // else its round has ended meanwhile
    });
    await announceAssignments(context, [assignmentId]);
  }

  async #mail(request: GroupRequest): Promise<GroupMail> {
    const mail = await this.context.post.ask(request);
    if (!mail) throw new TypeError(`A ${request.kind} is answered with mail.`);
    return mail;
  }

  /** What a member asks of a group that this node holds, or that no node does. */
  async #answer(request: GroupRequest): Promise<GroupMail | null> {
    const { context } = this;
    const { deviceId, groupId } = request;
    switch (request.kind) {
      case 'mail':
        return mailOf(context, deviceId, groupId);
      case 'message':
        return hearMember(context, deviceId, groupId, fromBase64Url(request.message));
      case 'masked':
        await receiveMasked(context, deviceId, groupId, request.assignmentId, fromHex(request.digest));
        return null;
      case 'leave':
        await dropHere(context, deviceId, request.assignmentId, request.reason, request.detail);
        return null;
    }
  }
}
