import { Anchor, Group, Select, Text } from '@mantine/core';
import type { Device } from '@starling/protocol';
import type { Endpoints, QueryOf } from '@starling/protocol/api';
import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';
import { FilterField, Filters, useFilter } from '../../components/filters.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page } from '../../components/page.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { Ago } from '../../components/time.tsx';
import { Labels, OnlineSign } from './device-facts.tsx';
import { EnrolLink } from './enrol-link.tsx';

const names = { id: '', platform: '', sdkVersion: '', label: '', state: '' };

/** The devices of the project, found by the server: there may be hundreds of thousands. */
export function DeviceList() {
  const words = useTranslations('devices');
  const filters = useTranslations('devices.filter');
  const states = useTranslations('states.device');
  const filter = useFilter(names);
  return (
    <Page title={words('title')} lead={words('lead')}>
      <Filters filter={filter}>
        {(['id', 'platform', 'sdkVersion', 'label'] as const).map((name) => (
          <FilterField key={name} filter={filter} name={name} label={filters(name)} width={170} />
        ))}
        <Select
          label={filters('state')}
          placeholder={filters('any')}
          w={{ base: '100%', xs: 130 }}
          clearable
          value={filter.values.state === '' ? null : filter.values.state}
          data={(['active', 'revoked'] as const).map((value) => ({ value, label: states(value) }))}
          onChange={(state) => {
            filter.set('state', state ?? '');
          }}
        />
      </Filters>
      <Found asked={filter.settled} />
    </Page>
  );
}

/** What fits the filters: it stands while one types, which a long table would slow down. */
const Found = memo(function Found({ asked }: { asked: typeof names }) {
  const words = useTranslations('devices');
  const list = useList('listDevices', { query: queryOf(asked) });
  return (
    <ItemList
      name={words('title')}
      list={list}
      columns={useColumns()}
      keyOf={({ id }) => id}
      empty={
        Object.values(asked).every((each) => each === '') ? (
          <Nothing title={words('none')} action={<EnrolLink />}>
            {words('noneHint')}
          </Nothing>
        ) : (
          <Nothing title={words('empty')}>{words('emptyHint')}</Nothing>
        )
      }
    />
  );
});

/** What is asked of the server: filters that hold something; a label only once it is whole. */
function queryOf({
  id,
  platform,
  sdkVersion,
  label,
  state,
}: typeof names): Partial<QueryOf<Endpoints['listDevices']>> {
  return {
    ...(id !== '' && { id: id.trim() }),
    ...(platform !== '' && { platform: platform.trim() }),
    ...(sdkVersion !== '' && { sdkVersion: sdkVersion.trim() }),
    ...(/^[^=]+=/.test(label) && { label }),
    ...((state === 'active' || state === 'revoked') && { state }),
  };
}

function useColumns(): Column<Device>[] {
  const words = useTranslations('devices.column');
  return [
    {
      head: words('id'),
      cell: ({ id }) => (
        <Group gap={4} wrap="nowrap">
          <Anchor component={Link} to={`/devices/${id}`} ff="monospace" size="sm">
            {id.slice(0, 12)}…
          </Anchor>
          <Identity id={id} length={0} />
        </Group>
      ),
    },
    { head: words('online'), cell: ({ online }) => <OnlineSign online={online} /> },
    { head: words('state'), cell: ({ state }) => <StateBadge of="device" state={state} /> },
    { head: words('platform'), wide: true, cell: ({ platform }) => <Text size="sm">{platform}</Text> },
    { head: words('sdkVersion'), wide: true, cell: ({ sdkVersion }) => sdkVersion },
    { head: words('labels'), wide: true, cell: ({ labels }) => <Labels labels={labels} /> },
    { head: words('seen'), wide: true, cell: ({ seenAt }) => <Ago at={seenAt} /> },
    { head: words('enrolled'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  ];
}
