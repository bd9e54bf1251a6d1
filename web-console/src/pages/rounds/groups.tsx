import { Group, Table, Text } from '@mantine/core';
import type { GroupSummary, Plan } from '@starling/protocol';
import { useTranslations } from 'use-intl';
import { Heads } from '../../components/heads.tsx';
import { Identity } from '../../components/identity.tsx';
import { Panel } from '../../components/page.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { ScrollTable } from '../../components/scroll-table.tsx';
import { StateBadge } from '../../components/state-badge.tsx';
import { useAbortReason } from './aborted.ts';

/** Rows that are shown: aborted ones come first, and what is left out is counted. */
const mostRows = 40;

/** The groups of a secure round: what they lost, and whether they came to a sum. */
export function GroupsPanel({
  groups,
  secure,
}: {
  groups: readonly GroupSummary[];
  secure: NonNullable<Plan['secure']>;
}) {
  const words = useTranslations('rounds.groups');
  const { count } = useQuantities();
  const by = (state: string) => groups.filter((group) => group.state === state).length;
  return (
    <Panel
      title={words('title')}
      about={{ meaning: words('meaning'), from: 'getRound' }}
      aside={
        <Text size="sm" c="dimmed">
          {words('summary', {
            groups: groups.length,
            summed: by('summed'),
            aborted: by('aborted'),
            minimum: secure.groupSize.minimum,
          })}
        </Text>
      }
    >
      {groups.length === 0 ? (
        <Text size="sm" c="dimmed">
          {words('none')}
        </Text>
      ) : (
        <>
          <ScrollTable name={words('title')} verticalSpacing={6}>
            <Heads
              heads={[
                { head: words('column.group') },
                { head: words('column.state') },
                ...(['size', 'survivors', 'needed', 'duration'] as const).map((name) => ({
                  head: words(`column.${name}`),
                  about: { meaning: words(`column.${name}Meaning`), from: 'getRound' as const },
                  right: true,
                })),
              ]}
            />
            <Table.Tbody>
              {groups.slice(0, mostRows).map((group) => (
                <GroupRow key={group.id} group={group} />
              ))}
            </Table.Tbody>
          </ScrollTable>
          {groups.length > mostRows && (
            <Text size="sm" c="dimmed" p="xs">
              {words('more', { groups: count(groups.length - mostRows) })}
            </Text>
          )}
        </>
      )}
    </Panel>
  );
}

function GroupRow({ group }: { group: GroupSummary }) {
  const words = useTranslations('rounds.groups');
  const abortReason = useAbortReason();
  const { count, duration } = useQuantities();
  const { id, state, reason, size, needed, survivors, openedAt, endedAt } = group;
  return (
    <Table.Tr>
      <Table.Td>
        <Identity id={id} length={10} />
      </Table.Td>
      <Table.Td>
        <Group gap={6}>
          <StateBadge of="group" state={state} />
          {reason !== null && (
            <Text size="sm" c="dimmed">
              {abortReason(reason)}
            </Text>
          )}
        </Group>
      </Table.Td>
      <Table.Td ta="right">{count(size)}</Table.Td>
      <Table.Td ta="right">
        {survivors === null
          ? '–'
          : survivors < size
            ? words('of', { survivors, lost: size - survivors })
            : count(survivors)}
      </Table.Td>
      <Table.Td ta="right">{count(needed)}</Table.Td>
      <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
        {endedAt === null ? words('underWay') : duration(Date.parse(endedAt) - Date.parse(openedAt))}
      </Table.Td>
    </Table.Tr>
  );
}
