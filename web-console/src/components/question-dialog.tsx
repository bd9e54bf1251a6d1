import { Button, Modal, Stack, Text } from '@mantine/core';
import { DialogFoot } from './dialog-foot.tsx';
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
  useFocusBack(opener);
  return (
    <Modal opened onClose={close} title={title} withCloseButton={false}>
      <Stack>
        <Text size="sm">{text}</Text>
        <DialogFoot close={close}>
          <Button
            {...(!undoable && { color: 'red' })}
            onClick={() => {
              close();
              act();
            }}
          >
            {confirm}
          </Button>
        </DialogFoot>
      </Stack>
    </Modal>
  );
}
