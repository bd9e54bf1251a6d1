import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useFocusBack } from './focus-back.ts';
import type { Question } from './question.tsx';

export function QuestionDialog({
  question: { title, text, confirm, act, undoable = false },
  opener,
  close,
}: {
  question: Question;
  /** What the question was asked from. */
  opener: HTMLElement | null;
  close: () => void;
}) {
  const cancel = useTranslations('shell.act')('cancel');
  useFocusBack(opener);
  return (
    <Modal opened onClose={close} title={title} withCloseButton={false}>
      <Stack>
        <Text size="sm">{text}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {cancel}
          </Button>
          <Button
            {...(!undoable && { color: 'red' })}
            onClick={() => {
              close();
              act();
            }}
          >
            {confirm}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
