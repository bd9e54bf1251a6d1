import {
  ProblemError,
  type Device as DeviceView,
  type DeviceId,
  type Labels,
  type ProjectId,
} from '@starling/protocol';
import {
  createEnrolmentToken,
  revokeEnrolmentToken,
  tokenView,
  type TokenRow,
} from '../devices/enrolment.ts';
import type { Api, ApiServices } from './http.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

interface DeviceRow {
  id: DeviceId;
  public_key: string;
  platform: string;
  sdk_version: string;
  labels: Labels;
  state: 'active' | 'revoked';
  created_at: Date;
}

/** Enrolment tokens and devices, for people. */
export function addDeviceAdministration(api: Api, { coordinator }: ApiServices): void {
  const { database, presence } = coordinator.context;

  serve(api, 'createEnrolmentToken', ({ caller, body, commit }) =>
    commit((tx) => createEnrolmentToken(tx, caller.projectId, body)),
  );
  serve(api, 'listEnrolmentTokens', async ({ caller, query }) => {
    const page = await readPage<TokenRow>(
      database,
      {
        table: 'enrolment_tokens',
        condition: 'project_id = $1',
        values: [caller.projectId],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(tokenView) };
  });
  serve(api, 'revokeEnrolmentToken', ({ caller, params, commit }) =>
    commit((tx) => revokeEnrolmentToken(tx, caller.projectId, params.id)),
  );

  const view = (row: DeviceRow): DeviceView => ({
    id: row.id,
    publicKey: row.public_key,
    platform: row.platform,
    sdkVersion: row.sdk_version,
    labels: row.labels,
    state: row.state,
    online: presence.isPresent(row.id),
    createdAt: row.created_at.toISOString(),
  });
  const readDevice = async (projectId: ProjectId, id: DeviceId) => {
    const [row] = await database.query<DeviceRow>('select * from devices where id = $1 and project_id = $2', [
      id,
      projectId,
    ]);
    if (!row) throw new ProblemError('not-found', `There is no device ${id}.`);
    return view(row);
  };
  serve(api, 'listDevices', async ({ caller, query }) => {
    const page = await readPage<DeviceRow>(
      database,
      { table: 'devices', condition: 'project_id = $1', values: [caller.projectId], column: 'created_at' },
      query,
    );
    return { ...page, items: page.items.map(view) };
  });
  serve(api, 'getDevice', ({ caller, params }) => readDevice(caller.projectId, params.id));
  serve(api, 'revokeDevice', async ({ caller, params }) => {
    await coordinator.revokeDevice(caller.projectId, params.id);
    return readDevice(caller.projectId, params.id);
  });
}
