import { Badge, Box, Group, Stack, Table, Text } from '@mantine/core';
import { dropReasons, type DropReason } from '@starling/protocol';
import type { RoundAnatomy } from '@starling/protocol/api';
import { IconArrowDownRight } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { Explained } from '../../components/figure.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ScrollTable } from '../../components/scroll-table.tsx';

/** How many devices came as far as each station, and why the others did not go on. */
export function FunnelPanel({ anatomy: { funnel } }: { anatomy: RoundAnatomy }) {
  const words = useTranslations('rounds.anatomy');
  const reasons = useTranslations('states.dropped');
  const { count, percent } = useQuantities();
  const most = Math.max(1, ...funnel.map(({ reached }) => reached));
  const known = (reason: string): reason is DropReason => dropReasons.some((each) => each === reason);
  return (
    <Panel
      title={
        <Explained meaning={words('funnelMeaning')} from="getAnatomy">
          {words('funnel')}
        </Explained>
      }
    >
      <Stack gap="sm" component="ol" p={0} m={0} style={{ listStyle: 'none' }}>
        {funnel.map(({ station, reached, dropped }) => (
          <li key={station}>
            <Group justify="space-between" gap="sm" wrap="nowrap">
              <Text size="sm">{words(`station.${station}`)}</Text>
              <Text size="sm" fw={600}>
                {count(reached)}{' '}
                <Text span c="dimmed" fw={400} inherit>
                  {percent(reached / most)}
                </Text>
              </Text>
            </Group>
            <Box h={8} bg="var(--starling-line)" style={{ borderRadius: 4 }} aria-hidden>
              <Box
                h={8}
                w={`${(100 * reached) / most}%`}
                bg="var(--mantine-primary-color-filled)"
                style={{ borderRadius: 4, opacity: station === 'counted' ? 1 : 0.6 }}
              />
            </Box>
            {Object.entries(dropped).length > 0 && (
              <Group gap={6} mt={6}>
                {Object.entries(dropped)
                  .sort(([, a], [, b]) => b - a)
                  .map(([reason, devices]) => (
                    <Badge
                      key={reason}
                      variant="light"
                      color="orange"
                      tt="none"
                      leftSection={<IconArrowDownRight size={12} aria-hidden />}
                    >
                      {words('left', { devices, reason: known(reason) ? reasons(reason) : reason })}
                    </Badge>
                  ))}
              </Group>
            )}
          </li>
        ))}
      </Stack>
    </Panel>
  );
}

/** How long each span took: median, and the slow ones. */
export function SpansPanel({ anatomy: { spans } }: { anatomy: RoundAnatomy }) {
  const words = useTranslations('rounds.anatomy');
  const { count, duration } = useQuantities();
  const shown = (ms: number | null) => (ms === null ? '–' : duration(Math.round(ms)));
  return (
    <Panel
      title={
        <Explained meaning={words('spansMeaning')} from="getAnatomy">
          {words('spans')}
        </Explained>
      }
    >
      <ScrollTable name={words('spans')} verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{words('span.name')}</Table.Th>
            <Table.Th ta="right">{words('span.devices')}</Table.Th>
            <Table.Th ta="right">p50</Table.Th>
            <Table.Th ta="right">p95</Table.Th>
            <Table.Th ta="right">p99</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {spans.map(({ span, count: devices, p50Ms, p95Ms, p99Ms }) => (
            <Table.Tr key={span}>
              <Table.Th scope="row" fw={span === 'all' ? 650 : 400}>
                {words(`span.${span}`)}
              </Table.Th>
              <Table.Td ta="right">{count(devices)}</Table.Td>
              {[p50Ms, p95Ms, p99Ms].map((ms, index) => (
                <Table.Td key={index} ta="right" style={{ whiteSpace: 'nowrap' }}>
                  {shown(ms)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Panel>
  );
}
