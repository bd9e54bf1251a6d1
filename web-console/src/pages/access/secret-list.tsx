import { Button, Group, Modal, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { PagedList } from '../../api/calls.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { ShownOnce } from './shown-once.tsx';

/** A list of what has a secret, a way to make another, and the secret that was just made. */
export function SecretList<T extends { id: string }>({
  name,
  create,
  list,
  columns,
  empty,
  form,
  secret,
  show,
}: {
  name: string;
  /** The name of making one. */
  create: string;
  list: PagedList<T>;
  columns: readonly Column<T>[];
  empty: ReactNode;
  /** Asks for what is to be made, and hands over its secret. */
  form: (made: (secret: string) => void) => ReactNode;
  secret: string | undefined;
  show: (secret: string | undefined) => void;
}) {
  const shell = useTranslations('shell.act');
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <Stack>
      <Group justify="flex-end">
        <Button onClick={open}>{create}</Button>
      </Group>
      <ItemList name={name} list={list} columns={columns} keyOf={({ id }) => id} empty={empty} />
      <Modal
        opened={opened}
        onClose={close}
        title={create}
        closeButtonProps={{ 'aria-label': shell('cancel') }}
        centered
      >
        {form((made) => {
          close();
          show(made);
        })}
      </Modal>
      <ShownOnce
        secret={secret}
        close={() => {
          show(undefined);
        }}
      />
    </Stack>
  );
}
