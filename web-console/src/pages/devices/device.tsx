import { Alert, Anchor, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { Device as DeviceFacts, DeviceId } from '@starling/protocol';
import type { DeviceWork } from '@starling/protocol/api';
import { IconEraser } from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useAct, useList, useRead } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { Facts } from '../../components/facts.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page, Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { useDropReason } from './declined.ts';
import { Labels, OnlineSign, useNetworkName } from './device-facts.tsx';

/** One device: what it is, and what it took part in. */
export function Device() {
  const words = useTranslations('devices');
  const id = useParams({ strict: false }).deviceId as DeviceId; // the server says when it is none
  const { data: device, error, refetch } = useRead('getDevice', { params: { id } });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  const trail = [
    <Anchor key="devices" component={Link} to="/devices" inherit>
      {words('title')}
    </Anchor>,
  ];
  return (
    <Page
      title={`${id.slice(0, 12)}…`}
      trail={trail}
      badge={device && <StateBadge of="device" state={device.state} />}
      actions={device && <Acts device={device} />}
    >
      {device?.erasedAt != null && (
        <Alert color="gray" icon={<IconEraser />} title={words('erased')}>
          {words('erasedHint')} <Ago at={device.erasedAt} />
        </Alert>
      )}
      <Panel title={words('about')}>
        {device === undefined ? <Skeleton h={80} /> : <About device={device} />}
      </Panel>
      <Panel title={words('history')} about={{ meaning: words('historyMeaning'), from: 'listDeviceWork' }}>
        <History id={id} />
      </Panel>
    </Page>
  );
}

function About({ device }: { device: DeviceFacts }) {
  const words = useTranslations('devices');
  const networkName = useNetworkName();
  const { id, publicKey, online, platform, sdkVersion, network, labels, seenAt, createdAt } = device;
  return (
    <Facts
      cols={{ base: 1, xs: 2, md: 4 }}
      facts={[
        { name: words('column.id'), value: <Identity id={id} length={30} /> },
        {
          name: words('publicKey'),
          value: publicKey === null ? '–' : <Identity id={publicKey} length={16} />,
        },
        { name: words('column.online'), value: <OnlineSign online={online} /> },
        { name: words('column.platform'), value: platform || '–' },
        { name: words('column.sdkVersion'), value: sdkVersion || '–' },
        { name: words('column.network'), value: networkName(network) },
        { name: words('column.labels'), value: <Labels labels={labels} /> },
        { name: words('column.seen'), value: <Ago at={seenAt} /> },
        { name: words('column.enrolled'), value: <Ago at={createdAt} /> },
        { name: words('column.conditions'), value: <Text size="sm">{words('conditions')}</Text> },
      ]}
    />
  );
}

function History({ id }: { id: DeviceId }) {
  const words = useTranslations('devices');
  const list = useList('listDeviceWork', {
    params: { id },
  });
  return (
    <ItemList
      name={words('history')}
      list={list}
      columns={useWorkColumns()}
      keyOf={(work) => work.id}
      empty={<Nothing title={words('nothingYet')}>{words('nothingYetHint')}</Nothing>}
    />
  );
}

function useWorkColumns(): Column<DeviceWork>[] {
  const words = useTranslations('devices');
  const states = useTranslations('states');
  const dropReason = useDropReason();
  const { bytes, duration } = useQuantities();
  return [
    {
      head: words('work.task'),
      cell: ({ taskId, task }) => (
        <Anchor component={Link} to={`/tasks/${taskId}`} inherit>
          {task}
        </Anchor>
      ),
    },
    {
      head: words('work.round'),
      cell: ({ roundId, roundNumber, kind }) => (
        <Anchor component={Link} to={`/rounds/${roundId}`} inherit>
          {words('roundOf', { kind: states(`kind.${kind}`), number: roundNumber })}
        </Anchor>
      ),
    },
    {
      head: words('work.state'),
      cell: ({ state, reason }) => (
        <Stack gap={0} align="flex-start">
          <StateBadge of="assignment" state={state} />
          {reason !== null && (
            <Text size="xs" c="dimmed">
              {dropReason(reason)}
            </Text>
          )}
        </Stack>
      ),
    },
    { head: words('work.offered'), wide: true, cell: ({ offeredAt }) => <Ago at={offeredAt} /> },
    {
      head: words('work.training'),
      about: { meaning: words('work.trainingMeaning'), from: 'listDeviceWork' },
      right: true,
      wide: true,
      cell: ({ trainingMs }) => (trainingMs === null ? '' : duration(trainingMs)),
    },
    {
      head: words('work.bytesUp'),
      about: { meaning: words('work.bytesUpMeaning'), from: 'listDeviceWork' },
      right: true,
      wide: true,
      cell: ({ bytesUp }) => (bytesUp === null ? '' : bytes(bytesUp)),
    },
  ];
}

/** What may be done to a device. Each cannot be undone. */
function Acts({ device: { id, state, erasedAt } }: { device: DeviceFacts }) {
  const words = useTranslations('devices');
  const may = useMay();
  const changes = ['getDevice', 'listDevices', 'listDeviceWork', 'getFleet'] as const;
  const revoke = useAct('revokeDevice', { changes });
  const erase = useAct('eraseDevice', { changes });
  const told = (message: string) => ({
    onSuccess: () => {
      notifications.show({ message });
    },
  });
  return (
    <>
      {state === 'active' && may('revokeDevice') && (
        <ConfirmButton
          name={words('revoke')}
          title={words('revokeTitle')}
          text={words('revokeText')}
          pending={revoke.isPending}
          size="page"
          act={() => {
            revoke.mutate({ params: { id } }, told(words('revoked')));
          }}
        />
      )}
      {erasedAt === null && may('eraseDevice') && (
        <ConfirmButton
          name={words('erase')}
          title={words('eraseTitle')}
          text={words('eraseText')}
          pending={erase.isPending}
          size="page"
          act={() => {
            erase.mutate({ params: { id } }, told(words('erased')));
          }}
        />
      )}
    </>
  );
}
