import { Badge, Box, Group, Stack, Table, Text } from '@mantine/core';
import { dropReasons, type DropReason } from '@starling/protocol';
import type { RoundAnatomy } from '@starling/protocol/api';
import { IconArrowDownRight } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { Heads } from '../../components/heads.tsx';
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
    <Panel title={words('funnel')} about={{ meaning: words('funnelMeaning'), from: 'getAnatomy' }}>
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
    <Panel title={words('spans')} about={{ meaning: words('spansMeaning'), from: 'getAnatomy' }}>
      <ScrollTable name={words('spans')} verticalSpacing={6}>
        <Heads
          heads={[
            { head: words('span.name') },
            {
              head: words('span.devices'),
              about: { meaning: words('span.devicesMeaning'), from: 'getAnatomy' },
              right: true,
            },
            ...(['p50', 'p95', 'p99'] as const).map((head) => ({
              head,
              about: { meaning: words(`span.${head}`), from: 'getAnatomy' as const },
              right: true,
            })),
          ]}
        />
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
