import { Alert, Badge, Group, Skeleton, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { Bars } from '../../components/bars.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { standingOf, type Standing } from './skew.ts';

const colours = { same: 'teal', older: 'orange', newer: 'blue', other: 'gray' } as const satisfies Record<
  Standing,
  string
>;

/** Versions of the SDK that active devices have, beside the server's own. */
export function SkewPanel({ serverVersion }: { serverVersion: string }) {
  const words = useTranslations('operations');
  const { percent } = useQuantities();
  const { data, error } = useRead('getFleet', {});
  const versions = (data?.sdkVersions ?? []).map(({ name, devices }) => ({
    name,
    devices,
    standing: standingOf(name, serverVersion),
  }));
  const all = versions.reduce((sum, { devices }) => sum + devices, 0);
  const others = versions.reduce(
    (sum, { devices, standing }) => sum + (standing === 'same' ? 0 : devices),
    0,
  );
  return (
    <Panel
      title={words('skew')}
      about={{ meaning: words('skewMeaning'), from: 'getFleet' }}
      aside={
        all > 0 && (
          <Text size="sm" c="dimmed">
            {words('skewed', { share: percent(others / all), version: serverVersion })}
          </Text>
        )
      }
    >
      {error ? (
        <Alert color="red">{error.message}</Alert>
      ) : data === undefined ? (
        <Skeleton h={80} />
      ) : all === 0 ? (
        <Text size="sm">{words('noDevices')}</Text>
      ) : (
        <Bars
          bars={versions.map(({ name, devices, standing }) => ({
            key: name,
            name: (
              <Group gap={6} component="span" display="inline-flex">
                {name}
                <Badge size="sm" variant="light" tt="none" color={colours[standing]}>
                  {words(`standing.${standing}`)}
                </Badge>
              </Group>
            ),
            value: devices,
          }))}
        />
      )}
    </Panel>
  );
}
