import { Button, CopyButton, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';

/** Shows a secret that was just made; nothing keeps it once this is closed. */
export function ShownOnce({ secret, close }: { secret: string | undefined; close: () => void }) {
  const words = useTranslations('access.once');
  const acts = useTranslations('shell.act');
  return (
    <Modal
      opened={secret !== undefined}
      onClose={close}
      title={words('title')}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      centered
    >
      <Stack>
        <Text>{words('text')}</Text>
        <TextInput
          readOnly
          value={secret ?? ''}
          aria-label={words('title')}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          onFocus={({ currentTarget }) => {
            currentTarget.select();
          }}
        />
        <Group justify="space-between">
          <CopyButton value={secret ?? ''}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
                onClick={copy}
              >
                {acts(copied ? 'copied' : 'copy')}
              </Button>
            )}
          </CopyButton>
          <Button onClick={close}>{words('done')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
