import { Type, type Static } from 'typebox';
import {
  Device,
  EnrolmentToken,
  EnrolmentTokenCreated,
  EnrolmentTokenRequest,
  ids,
} from '../schemas/resources.ts';
import { filteredPageQuery, Instant, OneOf, PageOf, PageQuery } from './common.ts';
import type { Endpoint } from './endpoint.ts';

export const ErasedDevice = Type.Object({
  id: ids.device,
  erasedAt: Instant,
  unlinked: Type.Integer({ description: 'Places in rounds that no longer say whose they were.' }),
});
export type ErasedDevice = Static<typeof ErasedDevice>;

export const deviceEndpoints = {
  createEnrolmentToken: {
    method: 'POST',
    path: '/v1/enrolment-tokens',
    tag: 'devices',
    summary: 'Make an enrolment token',
    role: 'admin',
    body: EnrolmentTokenRequest,
    example: { labels: { fleet: 'beta' }, maxUses: 500, expiresInMs: 604_800_000 },
    answer: EnrolmentTokenCreated,
    status: 201,
  },
  listEnrolmentTokens: {
    method: 'GET',
    path: '/v1/enrolment-tokens',
    tag: 'devices',
    summary: 'List enrolment tokens',
    role: 'admin',
    query: PageQuery,
    answer: PageOf(EnrolmentToken),
  },
  revokeEnrolmentToken: {
    method: 'POST',
    path: '/v1/enrolment-tokens/:id/revoke',
    tag: 'devices',
    summary: 'Revoke an enrolment token',
    role: 'admin',
    params: { id: ids.enrolmentToken },
    answer: EnrolmentToken,
  },
  listDevices: {
    method: 'GET',
    path: '/v1/devices',
    tag: 'devices',
    summary: 'List devices',
    description: 'Newest first. Filters are joined by "and".',
    role: 'viewer',
    query: filteredPageQuery({
      state: Type.Optional(OneOf(['active', 'revoked'])),
      platform: Type.Optional(Type.String({ maxLength: 64 })),
      sdkVersion: Type.Optional(Type.String({ maxLength: 32 })),
      id: Type.Optional(Type.String({ maxLength: 64, description: 'The beginning of the id.' })),
      label: Type.Optional(
        Type.String({ maxLength: 256, pattern: '^[^=]+=', description: 'As name=value.' }),
      ),
    }),
    answer: PageOf(Device),
  },
  getDevice: {
    method: 'GET',
    path: '/v1/devices/:id',
    tag: 'devices',
    summary: 'Read a device',
    role: 'viewer',
    params: { id: ids.device },
    answer: Device,
  },
  revokeDevice: {
    method: 'POST',
    path: '/v1/devices/:id/revoke',
    tag: 'devices',
    summary: 'Revoke a device',
    description: 'Its assignment is dropped, its sessions and connections end, and it cannot enrol again.',
    role: 'operator',
    params: { id: ids.device },
    answer: Device,
  },
  eraseDevice: {
    method: 'POST',
    path: '/v1/devices/:id/erase',
    tag: 'devices',
    summary: 'Erase what is known of a device',
    description:
      'For the right to erasure: it is revoked, then its key, labels, platform and history are removed for good. What it contributed stays in sums and counts, without its name. Refused while a group sums its update.',
    role: 'admin',
    params: { id: ids.device },
    answer: ErasedDevice,
  },
} as const satisfies Record<string, Endpoint>;
