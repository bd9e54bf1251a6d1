import { ActionIcon } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';

/** Shows what is drawn as a table, and back. */
export function TableToggle({ table, change }: { table: boolean; change: (table: boolean) => void }) {
  const words = useTranslations('shell.chart');
  return (
    <ActionIcon
      variant={table ? 'light' : 'subtle'}
      color="gray"
      aria-label={words('table')}
      aria-pressed={table}
      onClick={() => {
        change(!table);
      }}
    >
      <IconTable size={16} />
    </ActionIcon>
  );
}
