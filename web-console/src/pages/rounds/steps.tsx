import { ActionIcon, Group, Switch, Tooltip } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { Round, RoundId } from '@starling/protocol';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslations } from 'use-intl';
import { useList } from '../../api/calls.tsx';

/**
 * Steps to the rounds of the task before and after, also with the arrow keys; or follows the task: as soon as a round
 * opens, the page is that round's.
 */
export function Steps({
  round,
  previous = null,
  next = null,
}: {
  round: Round;
  previous: RoundId | null | undefined;
  next: RoundId | null | undefined;
}) {
  const words = useTranslations('rounds');
  const navigate = useNavigate();
  const { follow = false } = useSearch({ from: '/rounds/$id' });
  const { items } = useList('listRounds', { params: { id: round.taskId }, query: { limit: 1 } });
  const newest = items?.[0]?.id;
  const go = (id: RoundId | null) => {
    if (id !== null) void navigate({ to: '/rounds/$id', params: { id } });
  };
  useEffect(() => {
    if (!follow || newest === undefined || newest === round.id) return;
    void navigate({ to: '/rounds/$id', params: { id: newest }, search: { follow: true }, replace: true });
  }, [follow, newest, round.id, navigate]);
  useHotkeys([
    [
      'ArrowLeft',
      () => {
        go(previous);
      },
    ],
    [
      'ArrowRight',
      () => {
        go(next);
      },
    ],
  ]);
  return (
    <Group gap="sm" wrap="nowrap">
      <Tooltip label={words('followHint')}>
        <Switch
          label={words('follow')}
          checked={follow}
          onChange={({ currentTarget: { checked } }) => {
            void navigate({
              to: '/rounds/$id',
              params: { id: round.id },
              search: checked ? { follow: true } : {},
              replace: true,
            });
          }}
        />
      </Tooltip>
      <Group gap={4} wrap="nowrap">
        {(
          [
            ['previous', previous, IconChevronLeft],
            ['next', next, IconChevronRight],
          ] as const
        ).map(([name, id, Icon]) => (
          <Tooltip key={name} label={words(`${name}Hint`)}>
            <ActionIcon
              variant="default"
              size={36}
              aria-label={words(name)}
              disabled={id === null}
              onClick={() => {
                go(id);
              }}
            >
              <Icon size={18} />
            </ActionIcon>
          </Tooltip>
        ))}
      </Group>
    </Group>
  );
}
