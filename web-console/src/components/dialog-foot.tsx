import { Box, Button, Group } from '@mantine/core';
import type { ProblemError } from '@starling/protocol';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { Refused } from './refused.tsx';

/** The end of a dialog: why it was refused, where it was, the way back, and the button that goes on. */
export function DialogFoot({
  refused,
  close,
  children,
}: {
  refused?: ProblemError | undefined;
  close: () => void;
  /** The button that goes on. */
  children: ReactNode;
}) {
  const cancel = useTranslations('shell.act')('cancel');
  return (
    <>
      {refused && (
        <Box c="var(--mantine-color-error)" role="alert">
          <Refused error={refused} />
        </Box>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {cancel}
        </Button>
        {children}
      </Group>
    </>
  );
}
