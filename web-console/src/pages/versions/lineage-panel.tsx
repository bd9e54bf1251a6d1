import { Alert, Anchor, Button, Group, Skeleton, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { ModelVersion, Task } from '@starling/protocol';
import { IconBroadcast, IconCloudComputing, IconDeviceMobile, IconFlag } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useList, useRead } from '../../api/calls.tsx';
import { Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import classes from './lineage-panel.module.css';
import { lineageItems, snake, type LineageItem } from './lineage.ts';

const cell = { width: 176, height: 100 };
const icons = { start: IconFlag, round: IconDeviceMobile, job: IconCloudComputing } as const;

/** How a version came to be: rounds of devices and jobs in the cloud, one after another, from the first weights on. */
export function LineagePanel({ version, task }: { version: ModelVersion; task: Task }) {
  const words = useTranslations('models.lineage');
  const [whole, setWhole] = useState(false);
  const { data, error, refetch } = useRead('getLineage', { params: { id: version.id } });
  const { items: releases } = useList('listReleases', { params: { id: task.id } });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton h={320} />;
  const released = new Set<string>(releases?.map((release) => release.version));
  const items = lineageItems(data.steps, { whole, marked: released });
  const folds = whole || items.some(({ kind }) => kind === 'gap');
  return (
    <Panel
      title={words('title')}
      about={{ meaning: words('meaning'), from: 'getLineage' }}
      aside={
        folds && (
          <Button
            variant="default"
            size="xs"
            aria-pressed={whole}
            onClick={() => {
              setWhole(!whole);
            }}
          >
            {words(whole ? 'fold' : 'unfold', { count: data.steps.length })}
          </Button>
        )
      }
    >
      <Group gap="md">
        {(['start', 'round', 'job'] as const).map((origin) => {
          const Icon = icons[origin];
          return (
            <Group key={origin} gap={6} wrap="nowrap">
              <Icon size={16} aria-hidden />
              <Text size="sm" c="dimmed">
                {words(`origin.${origin}`)}
              </Text>
            </Group>
          );
        })}
        <Group gap={6} wrap="nowrap">
          <IconBroadcast size={16} aria-hidden />
          <Text size="sm" c="dimmed">
            {words('released')}
          </Text>
        </Group>
      </Group>
      {!data.complete && <Alert color="gray">{words('incomplete', { count: data.steps.length })}</Alert>}
      <Line items={items} here={version} released={released} />
    </Panel>
  );
}

function Line({
  items,
  here,
  released,
}: {
  items: readonly LineageItem[];
  here: ModelVersion;
  released: ReadonlySet<string>;
}) {
  const words = useTranslations('models.lineage');
  const { ref, width } = useElementSize();
  const columns = Math.max(1, Math.floor(width / cell.width));
  const places = snake(items.length, columns);
  const rows = Math.ceil(items.length / columns);
  const centre = ({ row, column }: { row: number; column: number }) =>
    `${(column + 0.5) * cell.width} ${(row + 0.5) * cell.height}`;
  return (
    <div ref={ref} className={classes.line} style={{ height: rows * cell.height }}>
      <svg width={columns * cell.width} height={rows * cell.height} aria-hidden className={classes.edges}>
        <polyline points={places.map(centre).join(' ')} />
      </svg>
      <ol className={classes.items} aria-label={words('title')}>
        {items.map((item, index) => {
          const { row, column } = places[index] ?? { row: 0, column: 0 };
          return (
            <li
              key={item.kind === 'gap' ? `gap ${item.first}` : item.step.version.id}
              className={classes.item}
              style={{ left: column * cell.width, top: row * cell.height, ...cell }}
            >
              {item.kind === 'gap' ? (
                <div className={classes.gap}>
                  <Text size="sm" c="dimmed" ta="center">
                    {words('gap', { count: item.count })}
                  </Text>
                </div>
              ) : (
                <Node item={item} here={item.step.version.id === here.id} released={released} />
              )}
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Node({
  item: { step, origin },
  here,
  released,
}: {
  item: LineageItem & { kind: 'version' };
  here: boolean;
  released: ReadonlySet<string>;
}) {
  const words = useTranslations('models.lineage');
  const { version } = step;
  const Icon = icons[origin];
  const what =
    origin === 'round' && step.origin
      ? words(step.origin.kind === 'statistics' ? 'byStatistics' : 'byRound', {
          number: step.origin.number,
          devices: step.origin.devices,
        })
      : words(origin === 'job' ? 'byJob' : 'byStart');
  const isReleased = released.has(version.id);
  return (
    <Anchor
      component={Link}
      to={`/versions/${version.id}`}
      className={classes.node}
      data-origin={origin}
      aria-current={here ? 'true' : undefined}
      underline="never"
    >
      <Group gap={6} wrap="nowrap" justify="center">
        <Icon size={16} aria-hidden />
        <Text span fw={650} size="sm" c="var(--mantine-color-text)" style={{ whiteSpace: 'nowrap' }}>
          {words('version', { number: version.number })}
        </Text>
        {isReleased && <IconBroadcast size={16} aria-label={words('released')} />}
      </Group>
      <Text span size="xs" c="dimmed" display="block" ta="center" lh={1.25}>
        {what}
      </Text>
    </Anchor>
  );
}
