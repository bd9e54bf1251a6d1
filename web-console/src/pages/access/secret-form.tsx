import { Button, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { Column } from '../../components/item-list.tsx';
import { Ago } from '../../components/time.tsx';
import { ExpiryInput, type Days } from './expiry.tsx';

/** Asks for what a new secret is for, and when it ends. */
export function SecretForm({
  name,
  make,
  ready,
  pending,
  days,
  changeDays,
  children,
}: {
  /** Of the button that makes it. */
  name: string;
  make: () => void;
  /** Whether all that it needs is there. */
  ready: boolean;
  pending: boolean;
  days: Days;
  changeDays: (days: Days) => void;
  /** Fields before its end. */
  children: ReactNode;
}) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) make();
      }}
    >
      <Stack>
        {children}
        <ExpiryInput days={days} change={changeDays} />
        <Button type="submit" loading={pending} disabled={!ready}>
          {name}
        </Button>
      </Stack>
    </form>
  );
}

/** When a secret ends, and when it was made. */
export function useTimeColumns<T extends { expiresAt: string | null; createdAt: string }>(): Column<T>[] {
  const words = useTranslations('access');
  return [
    {
      head: words('expires'),
      wide: true,
      cell: ({ expiresAt }) => (expiresAt === null ? words('never') : <Ago at={expiresAt} />),
    },
    { head: words('created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  ];
}
