import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';

/** An id or digest, its first `length` characters, with a button that copies all of it. */
export function Identity({ id, length = 12 }: { id: string; length?: number }) {
  const words = useTranslations('shell.act');
  return (
    <Group gap={2} wrap="nowrap" display="inline-flex">
      {length > 0 && (
        <Tooltip label={id} ff="monospace">
          <Code bg="transparent" p={0}>
            {id.length > length ? `${id.slice(0, length)}…` : id}
          </Code>
        </Tooltip>
      )}
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <ActionIcon
            size="sm"
            variant="subtle"
            color={copied ? 'teal' : 'gray'}
            aria-label={`${words(copied ? 'copied' : 'copy')} ${id}`}
            onClick={copy}
          >
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        )}
      </CopyButton>
    </Group>
  );
}
