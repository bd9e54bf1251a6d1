import { Group, Stack, Table, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import type { Curves, Operation } from '@starling/protocol/api';
import { useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Panel } from '../../../components/page.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { TableToggle } from '../../../components/table-toggle.tsx';
import { evenly, spreadOf, type Judged, type Spread } from './curves.ts';

/** Columns that are drawn at the most. */
const most = 60;

/** How devices spread in each evaluation round: stripes of a tenth of them each. */
export function SpreadPanel({ curves, judged, from }: { curves: Curves; judged: Judged; from: Operation }) {
  const words = useTranslations('task.learning');
  const [table, setTable] = useState(false);
  const evaluations = useMemo(() => spreadOf(curves, judged), [curves, judged]);
  const columns = useMemo(() => evenly(evaluations, most), [evaluations]);
  const all = evaluations.length;
  return (
    <Panel
      title={words('spread')}
      about={{ meaning: words('spreadMeaning'), from }}
      aside={<TableToggle table={table} change={setTable} />}
    >
      {table ? <AsTable columns={columns} /> : <Drawn columns={columns} />}
      <Group gap="md">
        <Sign colour="var(--starling-spread)" word={words('tenth')} />
        <Sign colour="var(--mantine-color-text)" word={words('median')} />
        <Sign colour="#c7373a" word={words('worst')} round />
        {columns.length < all && (
          <Text size="xs" c="dimmed">
            {words('taken', { shown: columns.length, all })}
          </Text>
        )}
      </Group>
    </Panel>
  );
}

function Sign({ colour, word, round = false }: { colour: string; word: string; round?: boolean }) {
  return (
    <Group gap={6} wrap="nowrap">
      <span
        aria-hidden
        style={{
          width: 10,
          height: round ? 10 : 4,
          borderRadius: round ? 5 : 1,
          background: colour,
          flexShrink: 0,
        }}
      />
      <Text size="xs">{word}</Text>
    </Group>
  );
}

const height = 260;
const margin = { left: 52, right: 8, top: 8, bottom: 36 };

function Drawn({ columns }: { columns: readonly Spread[] }) {
  const words = useTranslations('task.learning');
  const { count, percent } = useQuantities();
  const { ref, width } = useElementSize();
  const inner = Math.max(0, width - margin.left - margin.right);
  const step = inner / Math.max(1, columns.length);
  const bar = Math.min(36, step * 0.7);
  const y = (share: number) => margin.top + (1 - share) * (height - margin.top - margin.bottom);
  const every = Math.ceil(36 / Math.max(1, step));
  return (
    <div ref={ref}>
      <svg width={width} height={height} role="img" aria-label={words('spread')}>
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line
              x1={margin.left}
              x2={width - margin.right}
              y1={y(share)}
              y2={y(share)}
              stroke="var(--starling-line)"
            />
            <text
              x={margin.left - 8}
              y={y(share) + 4}
              textAnchor="end"
              fontSize={12}
              fill="var(--mantine-color-dimmed)"
            >
              {percent(share)}
            </text>
          </g>
        ))}
        {columns.map(({ round, number, deciles, worst }, index) => {
          const middle = margin.left + (index + 0.5) * step;
          return (
            <g key={round}>
              {deciles.slice(1).map((high, stripe) => {
                const low = deciles[stripe] ?? high;
                return (
                  <rect
                    key={stripe}
                    x={middle - bar / 2}
                    width={bar}
                    y={y(high)}
                    height={Math.max(1, y(low) - y(high))}
                    fill="var(--starling-spread)"
                    opacity={0.9 - 0.15 * Math.abs(stripe - 3.5)}
                  />
                );
              })}
              <line
                x1={middle - bar / 2}
                x2={middle + bar / 2}
                y1={y(deciles[4] ?? 0)}
                y2={y(deciles[4] ?? 0)}
                stroke="var(--mantine-color-text)"
                strokeWidth={2}
              />
              <circle cx={middle} cy={y(worst)} r={4} fill="#c7373a" />
              {index % every === 0 && (
                <text
                  x={middle}
                  y={height - 18}
                  textAnchor="middle"
                  fontSize={12}
                  fill="var(--mantine-color-dimmed)"
                >
                  {count(number)}
                </text>
              )}
            </g>
          );
        })}
        <text
          x={margin.left + inner / 2}
          y={height - 2}
          textAnchor="middle"
          fontSize={12}
          fill="var(--mantine-color-dimmed)"
        >
          {words('axisName.round')}
        </text>
      </svg>
    </div>
  );
}

function AsTable({ columns }: { columns: readonly Spread[] }) {
  const words = useTranslations('task.learning');
  const { count, percent } = useQuantities();
  return (
    <Stack
      className="scroll-x"
      tabIndex={0}
      role="region"
      aria-label={words('spread')}
      mah={height + 60}
      data-drawn
    >
      <Table stickyHeader>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words('axisName.round')}</Table.Th>
            <Table.Th ta="right">{words('devices')}</Table.Th>
            <Table.Th ta="right">{words('worst')}</Table.Th>
            {Array.from({ length: 9 }, (_, index) => (
              <Table.Th key={index} ta="right">
                {percent((index + 1) / 10)}
              </Table.Th>
            ))}
            <Table.Th ta="right">{words('mean')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {columns.map(({ round, number, devices, mean, worst, deciles }) => (
            <Table.Tr key={round}>
              <Table.Th scope="row">{count(number)}</Table.Th>
              <Table.Td ta="right">{count(devices)}</Table.Td>
              <Table.Td ta="right">{percent(worst)}</Table.Td>
              {deciles.map((value, index) => (
                <Table.Td key={index} ta="right">
                  {percent(value)}
                </Table.Td>
              ))}
              <Table.Td ta="right">{percent(mean)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
