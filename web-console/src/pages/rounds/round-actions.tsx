import { Button, Group, Modal, NumberInput, SegmentedControl, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { Round } from '@starling/protocol';
import { IconClockPlus, IconPlayerTrackNext, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { DialogFoot } from '../../components/dialog-foot.tsx';
import { askFirst } from '../../components/question.tsx';

const changes = ['getRound', 'getAnatomy', 'getArrivals', 'listRounds', 'getTask'] as const;
const minuteMs = 60_000;

/** What an operator may do with a round that is under way. */
export function RoundActions({ round }: { round: Round }) {
  const words = useTranslations('rounds.act');
  const shell = useTranslations('shell.act');
  const may = useMay();
  const close = useAct('closeRound', { changes });
  const abort = useAct('abortRound', { changes });
  const [opened, { open, close: leave }] = useDisclosure(false);
  if (round.endedAt !== null || !may('extendRound')) return null;
  const input = { params: { id: round.id } };
  const ask = (which: 'close' | 'abort', proceed: () => void) => {
    askFirst({
      title: words(`${which}.title`, { sequence: round.sequence }),
      text:
        which === 'abort'
          ? words('abort.meaning')
          : words(round.state === 'selecting' ? 'close.selecting' : 'close.later', {
              minimum: round.minimum,
            }),
      confirm: words(`${which}.confirm`),
      undoable: which === 'close',
      act: proceed,
    });
  };
  return (
    <Group gap="xs">
      <Button variant="default" size="sm" leftSection={<IconClockPlus size={16} />} onClick={open}>
        {words('extend.name')}
      </Button>
      <Modal
        opened={opened}
        onClose={leave}
        title={words('extend.title', { sequence: round.sequence })}
        closeButtonProps={{ 'aria-label': shell('cancel') }}
      >
        <Extend round={round} leave={leave} />
      </Modal>
      <Button
        variant="default"
        size="sm"
        loading={close.isPending}
        leftSection={<IconPlayerTrackNext size={16} />}
        onClick={() => {
          ask('close', () => {
            close.mutate(input);
          });
        }}
      >
        {words('close.name')}
      </Button>
      <Button
        variant="light"
        color="red"
        size="sm"
        loading={abort.isPending}
        leftSection={<IconTrash size={16} />}
        onClick={() => {
          ask('abort', () => {
            abort.mutate(input);
          });
        }}
      >
        {words('abort.name')}
      </Button>
    </Group>
  );
}

/** Asks for how long. */
function Extend({ round, leave }: { round: Round; leave: () => void }) {
  const words = useTranslations('rounds.act.extend');
  const [minutes, setMinutes] = useState(5);
  const extend = useAct('extendRound', { changes });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        extend.mutate(
          { params: { id: round.id }, body: { byMs: Math.round(minutes * minuteMs) } },
          { onSuccess: leave },
        );
      }}
    >
      <Stack gap="md">
        <Text size="sm">{words('meaning')}</Text>
        <SegmentedControl
          aria-label={words('often')}
          data={[1, 5, 15, 60].map((each) => ({
            value: String(each),
            label: words('minutes', { minutes: each }),
          }))}
          value={String(minutes)}
          onChange={(value) => {
            setMinutes(Number(value));
          }}
        />
        <NumberInput
          label={words('by')}
          min={1}
          max={7 * 24 * 60}
          value={minutes}
          onChange={(value) => {
            if (typeof value === 'number' && value > 0) setMinutes(value);
          }}
        />
        <DialogFoot close={leave}>
          <Button type="submit" loading={extend.isPending}>
            {words('confirm', { minutes })}
          </Button>
        </DialogFoot>
      </Stack>
    </form>
  );
}
