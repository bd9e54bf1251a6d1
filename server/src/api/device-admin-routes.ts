import {
  ProblemError,
  type Device as DeviceView,
  type DeviceId,
  type Labels,
  type Network,
  type ProjectId,
} from '@starling/protocol';
import {
  createEnrolmentToken,
  revokeEnrolmentToken,
  tokenView,
  type TokenRow,
} from '../devices/enrolment.ts';
import { eraseDevice } from '../coordinator/erasure.ts';
import { deviceWork, deviceWorkView, type DeviceWorkRow } from '../overview/device-work.ts';
import { fleetOf } from '../overview/fleet.ts';
import { operationsOf } from '../overview/operations.ts';
import type { Api, ApiServices } from './http.ts';
import { readPage } from './pages.ts';
import { serve } from './serve.ts';

interface DeviceRow {
  id: DeviceId;
  public_key: string;
  platform: string;
  sdk_version: string;
  network: Network | null;
  labels: Labels;
  state: 'active' | 'revoked';
  seen_at: Date | null;
  erased_at: Date | null;
  created_at: Date;
}

/** Enrolment tokens and devices, for people. */
export function addDeviceAdministration(api: Api, { coordinator, node }: ApiServices): void {
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
    publicKey: row.erased_at === null ? row.public_key : null,
    platform: row.platform,
    sdkVersion: row.sdk_version,
    network: row.network,
    labels: row.labels,
    state: row.state,
    online: presence.isPresent(row.id),
    seenAt: row.seen_at?.toISOString() ?? null,
    erasedAt: row.erased_at?.toISOString() ?? null,
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
  serve(api, 'getFleet', ({ caller }) => fleetOf(database, presence, caller.projectId));
  serve(api, 'listDevices', async ({ caller, query }) => {
    const { state = null, platform = null, sdkVersion = null, id = null, label = '' } = query;
    const [name, value] = splitLabel(label);
    const page = await readPage<DeviceRow>(
      database,
      {
        table: 'devices',
        condition: `project_id = $1 and erased_at is null and ($2::text is null or state = $2) and ($3::text is null or platform = $3)
          and ($4::text is null or sdk_version = $4) and ($5::text is null or starts_with(id, $5))
          and ($6::text is null or labels ->> $6 = $7)`,
        values: [caller.projectId, state, platform, sdkVersion, id, name, value],
        column: 'created_at',
      },
      query,
    );
    return { ...page, items: page.items.map(view) };
  });
  serve(api, 'listDeviceWork', async ({ caller, params, query }) => {
    const { id } = await readDevice(caller.projectId, params.id);
    const page = await readPage<DeviceWorkRow>(database, { ...deviceWork, values: [id] }, query);
    return { ...page, items: page.items.map(deviceWorkView) };
  });
  serve(api, 'getDevice', ({ caller, params }) => readDevice(caller.projectId, params.id));
  serve(api, 'revokeDevice', async ({ caller, params }) => {
    await coordinator.revokeDevice(caller.projectId, params.id);
    return readDevice(caller.projectId, params.id);
  });
  serve(api, 'eraseDevice', async ({ caller, params: { id }, commit }) => {
    const { projectId } = caller;
    await readDevice(projectId, id);
    await coordinator.revokeDevice(projectId, id);
    const erased = await commit((tx) => eraseDevice(tx, projectId, id));
    coordinator.context.announce.live(projectId, { kind: 'device', deviceId: id, change: 'erased' });
    return erased;
  });
  serve(api, 'getOperations', ({ caller }) => operationsOf(database, node, caller));
}

/** `name=value` as its two parts; the value may hold `=`. */
function splitLabel(label: string): [string | null, string] {
  const at = label.indexOf('=');
  return at === -1 ? [null, ''] : [label.slice(0, at), label.slice(at + 1)];
}
