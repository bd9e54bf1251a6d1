import {
  ids,
  ChallengeAnswer,
  ChallengeRequest,
  CheckInAnswer,
  EnrolAnswer,
  EnrolRequest,
} from '@starling/protocol/schemas';
import {
  Assignment,
  ControlMessage,
  GroupMail,
  ServedModel,
  SessionAnswer,
  SessionRequest,
  UploadAnswer,
} from '@starling/protocol/schemas';
import { fromBase64, ProblemError, toHex, type ControlMessage as Control } from '@starling/protocol';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { enrol } from '../devices/enrolment.ts';
import { bearer, bodyOrNothing, deviceOf, type Api, type ApiServices } from './http.ts';
import { problemResponses } from './openapi.ts';

export const uploadType = 'application/offset+octet-stream';
/** SA-1's messages are small: the bulk goes the way of uploads. */
const messageType = 'application/octet-stream';
const maxMessageBytes = 128 * 1024;
const GroupPath = Type.Object({ id: ids.group });
const AssignmentPath = Type.Object({ id: ids.assignment });
const AssignmentAnswer = Type.Object({ assignment: Assignment });

/** Routes that need no session: enrolment and the way to a session. */
export function addEnrolmentRoutes(api: Api, { coordinator, sessions, limits }: ApiServices): void {
  const { database, announce, groups } = coordinator.context;
  const limitChallenges = (request: FastifyRequest<{ Body: { deviceId: string } }>) => {
    limits.challengeFromAddress.take(request.ip);
    limits.challenge.take(request.body.deviceId);
  };
  api.post(
    '/v1/devices',
    {
      schema: {
        tags: ['device'],
        summary: 'Enrol a device',
        description: 'The same key again gets the same answer.',
        body: EnrolRequest,
        response: { 200: EnrolAnswer, 201: EnrolAnswer, ...problemResponses },
      },
    },
    async (request, reply) => {
      limits.enrolment.take(request.ip);
      const { created, ...answer } = await enrol(database, groups.environment.crypto, request.body);
      coordinator.context.failpoint('device-enrolled');
      if (created)
        announce.live(answer.projectId, { kind: 'device', deviceId: answer.deviceId, change: 'enrolled' });
      return reply.status(created ? 201 : 200).send(answer);
    },
  );
  api.post(
    '/v1/device/challenge',
    {
      schema: {
        tags: ['device'],
        summary: 'Ask for a challenge to sign',
        body: ChallengeRequest,
        response: { 200: ChallengeAnswer, ...problemResponses },
      },
    },
    (request) => {
      limitChallenges(request);
      return Promise.resolve(sessions.challenge(request.body.deviceId));
    },
  );
  api.post(
    '/v1/device/session',
    {
      schema: {
        tags: ['device'],
        summary: 'Open a session with a signed challenge',
        body: SessionRequest,
        response: { 200: SessionAnswer, ...problemResponses },
      },
    },
    async (request) => {
      limitChallenges(request);
      const session = await sessions.open(request.body);
      coordinator.context.failpoint('session-opened');
      return session;
    },
  );
}

/** Routes of a device with a session. */
export function addDeviceRoutes(api: Api, { coordinator, sessions, limits }: ApiServices): void {
  api.addHook('onRequest', async (request) => {
    const token = bearer(request);
    const deviceId = sessions.holder(token);
    limits.device.take(deviceId); // of one that was revoked, too
    request.device = await sessions.identify(token);
    limits.deviceBytes.take(deviceId, Number(request.headers['content-length'] ?? 0));
  });
  api.addContentTypeParser(uploadType, (_request, payload, done) => {
    done(null, payload);
  });

  api.get(
    '/v1/device/assignment',
    {
      schema: {
        tags: ['device'],
        summary: 'Where this device stands',
        response: { 200: CheckInAnswer, ...problemResponses },
      },
    },
    (request) => {
      const { deviceId, projectId } = deviceOf(request);
      return coordinator.checkIn(deviceId, projectId);
    },
  );

  for (const variant of ControlMessage.anyOf) {
    const { action, ...fields } = variant.properties;
    const body = Type.Object(fields, { additionalProperties: false });
    api.post(
      `/v1/device/assignments/:id/${action.const}`,
      {
        schema: {
          tags: ['device'],
          summary: `Say "${action.const}" of an assignment`,
          params: AssignmentPath,
          ...(Object.keys(fields).length > 0 ? { body } : {}),
          response: { 200: AssignmentAnswer, ...problemResponses },
        },
        preValidation: bodyOrNothing(body),
      },
      async (request) => {
        const { id } = request.params;
        const message = { action: action.const, ...(request.body as object | null) } as Control;
        return { assignment: await coordinator.control(deviceOf(request), id, message) };
      },
    );
  }

  api.head(
    '/v1/device/assignments/:id/update',
    {
      schema: { tags: ['device'], summary: 'How many bytes of the update are held', params: AssignmentPath },
    },
    async (request, reply) => {
      const offset = await coordinator.uploadOffset(deviceOf(request).deviceId, request.params.id);
      return reply.header('upload-offset', offset).header('cache-control', 'no-store').status(204).send();
    },
  );
  api.patch(
    '/v1/device/assignments/:id/update',
    {
      schema: {
        tags: ['device'],
        summary: 'Append a part of the update',
        description:
          'Upload-Offset says where the part starts. The last part has Upload-Complete: ?1 and Repr-Digest: sha-256=:…: (RFC 9530) of the whole.',
        consumes: [uploadType],
        params: AssignmentPath,
        headers: Type.Object({
          'upload-offset': Type.String({ pattern: '^[0-9]{1,12}$' }),
          'upload-complete': Type.Optional(Type.String({ pattern: '^\\?[01]$' })),
          'repr-digest': Type.Optional(Type.String()),
        }),
        response: { 200: UploadAnswer, ...problemResponses },
      },
    },
    async (request) => {
      const { 'upload-offset': offset, 'upload-complete': last, 'repr-digest': digest } = request.headers;
      return coordinator.receivePart(deviceOf(request).deviceId, request.params.id, {
        offset: Number(offset),
        body: (request.body ?? []) as AsyncIterable<Uint8Array>,
        completeWith: last === '?1' ? sha256Of(digest) : undefined,
      });
    },
  );

  api.addContentTypeParser(
    messageType,
    { parseAs: 'buffer', bodyLimit: maxMessageBytes },
    (_request, body, done) => {
      done(null, body);
    },
  );
  api.get(
    '/v1/device/groups/:id',
    {
      schema: {
        tags: ['device'],
        summary: 'What a secure group has for this device',
        params: GroupPath,
        response: { 200: GroupMail, ...problemResponses },
      },
    },
    (request) => coordinator.groupMail(deviceOf(request).deviceId, request.params.id),
  );
  api.post(
    '/v1/device/groups/:id/messages',
    {
      schema: {
        tags: ['device'],
        summary: 'Say something in a secure group',
        description:
          'One message of SA-1 (docs/secure-aggregation.md), up to 128 kB. The same message again changes nothing.',
        consumes: [messageType],
        params: GroupPath,
        response: { 200: GroupMail, ...problemResponses },
      },
    },
    async (request) => {
      const bytes = request.body instanceof Uint8Array ? new Uint8Array(request.body) : new Uint8Array();
      return coordinator.hearMember(deviceOf(request).deviceId, request.params.id, bytes);
    },
  );

  api.get(
    '/v1/device/tasks/:id/model',
    {
      schema: {
        tags: ['device'],
        summary: 'The current model of a task',
        params: Type.Object({ id: ids.task }),
        response: { 200: ServedModel, ...problemResponses },
      },
    },
    (request) => coordinator.servedModel(deviceOf(request).projectId, request.params.id),
  );
}

/** SHA-256 (hexadecimal) from a Repr-Digest header (RFC 9530, section 3). */
function sha256Of(header: string | undefined): string {
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header ?? '')?.[1];
  if (base64 === undefined) {
    throw new ProblemError(
      'invalid-request',
      'The last part of an upload needs Repr-Digest: sha-256=:<base64>: of the whole update.',
    );
  }
  return toHex(fromBase64(base64));
}
