import 'uplot/dist/uPlot.min.css';
import { ActionIcon, Box, Group, Menu, Stack, Text, useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconDownload } from '@tabler/icons-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import { useFormatter, useTranslations } from 'use-intl';
import { LongTable } from '../long-table.tsx';
import { save } from '../save.ts';
import { TableToggle } from '../table-toggle.tsx';
import { pictureOf } from './picture.ts';
import { aligned, csvOf, shareRange, wholeSteps, type Series } from './series.ts';

interface LineChartProps {
  /** What is drawn, for those who cannot see it and for the names of files. */
  name: string;
  xName: string;
  yName: string;
  series: readonly Series[];
  height?: number;
  log?: boolean;
  /** x counts something: no mark between whole numbers. */
  whole?: boolean;
  /** y is a share: of lines that do not move, all of 0 to 1 is shown. */
  share?: boolean;
  /** How x and y read on the axes and in the legend. */
  formatX?: (x: number) => string;
  formatY?: (y: number) => string;
  onPick?: (x: number) => void;
}

/** Lines over a common axis (uPlot), with the same figures as a table and as files. */
export function LineChart(props: LineChartProps) {
  const { name, xName, series, height = 280 } = props;
  const words = useTranslations('shell.chart');
  const [table, setTable] = useState(false);
  const { ref: box, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const dark = useComputedColorScheme('light') === 'dark';
  const drawn = useRef<uPlot>(null);
  useEffect(() => {
    if (!place.current || width === 0 || table) return;
    const chart = new uPlot(optionsOf(props, width, height, dark), aligned(series), place.current);
    drawn.current = chart;
    return () => {
      chart.destroy();
      drawn.current = null;
    };
  }, [props, series, width, height, dark, table]);
  if (series.every(({ x }) => x.length === 0)) {
    return (
      <Box h={height} style={{ display: 'grid', placeItems: 'center' }}>
        <Text c="dimmed">{words('empty')}</Text>
      </Box>
    );
  }
  return (
    <Stack gap={4} pos="relative">
      <Group gap={4} justify="flex-end">
        <TableToggle table={table} change={setTable} />
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={words('save')}>
              <IconDownload size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              onClick={() => {
                save(`${name}.csv`, new Blob([csvOf(xName, series)], { type: 'text/csv' }));
              }}
            >
              {words('csv')}
            </Menu.Item>
            <Menu.Item
              disabled={table}
              onClick={() => {
                if (!drawn.current) return;
                pictureOf(drawn.current.ctx.canvas, series, inkOf(dark)).toBlob((image) => {
                  if (image) save(`${name}.png`, image);
                });
              }}
            >
              {words('png')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Box ref={box} w="100%">
        {table ? (
          <AsTable {...props} />
        ) : (
          <div ref={place} role="img" aria-label={`${name}. ${series.map((each) => each.name).join(', ')}`} />
        )}
      </Box>
    </Stack>
  );
}

function AsTable({ name, xName, series, height = 280, formatX = String, formatY }: LineChartProps) {
  const format = useFormatter();
  const show = formatY ?? ((y: number) => format.number(y, { maximumSignificantDigits: 5 }));
  const [x, ...rows] = useMemo(() => aligned(series), [series]);
  return (
    <LongTable
      name={name}
      height={height + 60}
      head={[xName, ...series.map((each) => each.name)]}
      rows={x.length}
      cells={(row) => [
        formatX(x[row]!),
        ...rows.map((values) => (values[row] === null || values[row] === undefined ? '' : show(values[row]))),
      ]}
    />
  );
}

/** Ink of axes and grid, and the surface below; the canvas knows no CSS variables. */
const inks = {
  light: { text: '#586564', grid: '#e6ebea', ground: '#ffffff' },
  dark: { text: '#9fb0ae', grid: '#26302f', ground: '#18201f' },
} as const;

/** `scale`: how much larger all is on a screen of 4k (app.css). */
function inkOf(dark: boolean) {
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const font = `${12 * scale}px ${getComputedStyle(document.body).fontFamily}`;
  return { ...inks[dark ? 'dark' : 'light'], font, scale };
}

function optionsOf(
  { series, log, whole, share, formatX, formatY, onPick, xName, yName }: LineChartProps,
  width: number,
  height: number,
  dark: boolean,
): uPlot.Options {
  const { scale, ...ink } = inkOf(dark);
  const axis = {
    stroke: ink.text,
    font: ink.font,
    labelFont: ink.font,
    labelSize: 20 * scale,
    grid: { stroke: ink.grid, width: 1 },
    ticks: { show: false },
  };
  const x = (value: number) => formatX?.(value) ?? String(value);
  const y = (value: number) => formatY?.(value) ?? String(Number(value.toPrecision(4)));
  return {
    width,
    height: height * scale,
    scales: {
      x: { time: false },
      y: {
        distr: log ? 3 : 1,
        ...(share && !log && { range: (_chart, least, most) => shareRange(least, most) }),
      },
    },
    axes: [
      {
        ...axis,
        label: xName,
        size: 32 * scale,
        ...(whole && { incrs: wholeSteps }),
        values: (_chart, places) => places.map(x),
      },
      {
        ...axis,
        label: yName,
        size: 60 * scale,
        values: (_chart, places) => places.map((each) => (each === null ? '' : y(each))),
      },
    ],
    series: [
      { label: xName, value: (_chart, value: number | null) => (value === null ? '–' : x(value)) },
      ...series.map(({ name, colour, dashed, points }) => ({
        label: name,
        stroke: colour,
        width: 2,
        spanGaps: true,
        points: { show: points ?? false, size: 6 },
        ...(dashed && { dash: [6, 4] }),
        value: (_chart: uPlot, value: number | null) => (value === null ? '–' : y(value)),
      })),
    ],
    bands: series.flatMap(({ fillTo, colour }, index) =>
      fillTo === undefined
        ? []
        : [{ series: [index + 1, fillTo + 1] as [number, number], fill: translucent(colour) }],
    ),
    legend: {
      markers: {
        width: 2,
        dash: (_chart, line) => (series[line - 1]?.dashed ? 'dashed' : 'solid'),
        fill: (_chart, line) =>
          series[line - 1]?.dashed ? 'transparent' : (series[line - 1]?.colour ?? 'transparent'),
      },
    },
    cursor: { points: { size: 8 }, drag: { x: true, y: false } },
    hooks: {
      init: [
        (chart) => {
          if (!onPick) return;
          chart.over.addEventListener('click', () => {
            const at = chart.cursor.idx;
            const value = at === null || at === undefined ? undefined : chart.data[0][at];
            if (value !== undefined) onPick(value);
          });
        },
      ],
    },
  };
}

/** A colour #rrggbb at a sixth of its strength. */
function translucent(colour: string): string {
  return `${colour}2b`;
}
