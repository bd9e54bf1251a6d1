import { Button, Modal, Stack, Text } from '@mantine/core';
import { DialogFoot } from './dialog-foot.tsx';
import type { Question } from './question.tsx';

export function QuestionDialog({
  question: { title, text, confirm, act, undoable = false },
  close,
}: {
  question: Question;
  close: () => void;
}) {
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
