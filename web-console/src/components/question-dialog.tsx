import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import type { Question } from './question.tsx';

export function QuestionDialog({
  question: { title, text, confirm, act, undoable = false },
  close,
}: {
  question: Question;
  close: () => void;
}) {
  const cancel = useTranslations('shell.act')('cancel');
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
