import { FileInput, NumberInput, Select, SimpleGrid, Stack, Table, Text } from '@mantine/core';
import { readyFleets, type ForecastRequest, type TaskForecast } from '@starling/protocol/api';
import { IconFile } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { Heads } from '../../../components/heads.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { ScrollTable } from '../../../components/scroll-table.tsx';

/** What a forecast rests on; what is left out is as the server takes it. */
export type Assumed = Pick<ForecastRequest, 'devices' | 'rows' | 'fleet'>;

type FleetModel = TaskForecast['assumed']['fleet'];

const fleets = [...readyFleets, 'file'] as const;

/** Asks what is to be assumed of the devices. */
export function Assumptions({
  assumed,
  used,
  change,
}: {
  assumed: Assumed;
  /** What the last forecast took. */
  used: TaskForecast['assumed'] | undefined;
  change: (assumed: Assumed) => void;
}) {
  const words = useTranslations('create.assumed');
  const [source, setSource] = useState<(typeof fleets)[number]>('phones-at-night');
  const [fault, setFault] = useState<string>();
  const number = (name: 'devices' | 'rows', value: number | string) => {
    const others = { ...assumed };
    delete others[name];
    change(typeof value === 'number' && value >= 1 ? { ...others, [name]: value } : others);
  };
  const read = (file: File | null) => {
    setFault(undefined);
    void file?.text().then((text) => {
      try {
        change({ ...assumed, fleet: JSON.parse(text) as FleetModel }); // the server checks it
      } catch (problem) {
        setFault(problem instanceof Error ? problem.message : String(problem));
      }
    });
  };
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
      <NumberInput
        label={words('devices')}
        description={words('devicesHint')}
        placeholder={used && String(used.devices)}
        min={1}
        max={100_000}
        allowDecimal={false}
        value={assumed.devices ?? ''}
        onChange={(value) => {
          number('devices', value);
        }}
      />
      <NumberInput
        label={words('rows')}
        description={words('rowsHint')}
        placeholder={used && String(used.rows)}
        min={1}
        max={1_000_000}
        allowDecimal={false}
        value={assumed.rows ?? ''}
        onChange={(value) => {
          number('rows', value);
        }}
      />
      <Select
        label={words('fleet')}
        allowDeselect={false}
        data={fleets.map((value) => ({ value, label: words(`fleets.${value}`) }))}
        value={source}
        onChange={(value) => {
          const chosen = fleets.find((each) => each === value);
          if (chosen === undefined) return;
          setSource(chosen);
          if (chosen !== 'file') change({ ...assumed, fleet: chosen });
        }}
      />
      {source === 'file' && (
        <FileInput
          label={words('file')}
          placeholder={words('choose')}
          accept="application/json,.json"
          leftSection={<IconFile size={16} />}
          error={fault}
          onChange={read}
        />
      )}
    </SimpleGrid>
  );
}

/** Names in the fleets that are ready. */
const readyNames = ['phones at night', 'older phone', 'phone', 'laptop', 'ideal', 'device'] as const;

/** Names of fleets and classes in the language of the page; those of a file stay as they are. */
function useNames(): (name: string) => string {
  const words = useTranslations('create.assumed.names');
  return (name) => {
    const ready = readyNames.find((each) => each === name);
    return ready === undefined ? name : words(ready);
  };
}

/** The fleet that a forecast took, class by class. */
export function AssumedFleet({ fleet, hybrid }: { fleet: FleetModel; hybrid: boolean }) {
  const words = useTranslations('create.assumed');
  const named = useNames();
  const { bytes, count, percent } = useQuantities();
  const shares = fleet.classes.reduce((sum, { share }) => sum + share, 0);
  const there = fleet.availability;
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {words('text', {
          name: named(fleet.name),
          least: percent(Math.min(...there)),
          most: percent(Math.max(...there)),
          hour: String(fleet.startHour),
        })}{' '}
        {hybrid && words('noCloud')}
      </Text>
      <ScrollTable name={words('classes')} verticalSpacing={4} horizontalSpacing="xs" fz="sm">
        <Heads
          heads={[
            { head: words('class') },
            ...(['share', 'speed', 'down', 'up', 'dropOut'] as const).map((name) => ({
              head: words(name),
              about: { meaning: words(`${name}Meaning`), from: 'forecastTask' as const },
              right: true,
            })),
          ]}
        />
        <Table.Tbody>
          {fleet.classes.map((each, place) => (
            <Table.Tr key={place}>
              <Table.Th scope="row" fw={400}>
                {named(each.name)}
              </Table.Th>
              {[
                percent(each.share / shares),
                count(each.gigaflops),
                words('aSecond', { bytes: bytes(each.downBytesPerSecond) }),
                words('aSecond', { bytes: bytes(each.upBytesPerSecond) }),
                percent(each.dropOut),
              ].map((value, column) => (
                <Table.Td key={column} ta="right" style={{ whiteSpace: 'nowrap' }}>
                  {value}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Stack>
  );
}
