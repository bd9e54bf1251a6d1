import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { isAtLeast, roles, type Role } from '@starling/protocol';
import type { ApiKey } from '@starling/protocol/api';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useList, useRead } from '../../api/calls.tsx';
import { useSession } from '../../app/session.tsx';
import { useConfirm } from '../../components/confirm.tsx';
import { ItemList, Nothing, type Column } from '../../components/item-list.tsx';
import { Ago } from '../../components/time.tsx';
import { ShownOnce } from './shown-once.tsx';
import { Validity, validityOf } from './validity.tsx';

const dayMs = 86_400_000;

/** API keys: made, rotated, revoked. */
export function Keys() {
  const words = useTranslations('access');
  const [opened, { open, close }] = useDisclosure(false);
  const [secret, setSecret] = useState<string>();
  const list = useList('listKeys', {});
  return (
    <Stack>
      <Group justify="flex-end">
        <Button onClick={open}>{words('keys.create')}</Button>
      </Group>
      <ItemList
        name={words('tab.keys')}
        list={list}
        columns={useColumns(setSecret)}
        keyOf={({ id }) => id}
        empty={<Nothing title={words('keys.empty')}>{words('keys.emptyHint')}</Nothing>}
      />
      <Modal opened={opened} onClose={close} title={words('keys.create')} centered>
        <NewKey
          made={(made) => {
            close();
            setSecret(made);
          }}
        />
      </Modal>
      <ShownOnce
        secret={secret}
        close={() => {
          setSecret(undefined);
        }}
      />
    </Stack>
  );
}

function useColumns(show: (secret: string) => void): Column<ApiKey>[] {
  const words = useTranslations('access');
  const role = useTranslations('shell.role');
  return [
    { head: words('name'), cell: ({ name }) => <Text fw={600}>{name}</Text> },
    { head: words('role'), cell: (key) => role(key.role) },
    { head: words('state'), cell: (key) => <Validity of={key} /> },
    { head: words('keys.lastUsed'), wide: true, cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} /> },
    {
      head: words('expires'),
      wide: true,
      cell: ({ expiresAt }) => (expiresAt === null ? words('never') : <Ago at={expiresAt} />),
    },
    { head: words('created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
    { head: '', right: true, cell: (key) => <KeyActs apiKey={key} show={show} /> },
  ];
}

function KeyActs({ apiKey, show }: { apiKey: ApiKey; show: (secret: string) => void }) {
  const words = useTranslations('access.keys');
  const confirm = useConfirm();
  const caller = useRead('getCaller', {}).data;
  const rotate = useAct('rotateKey', { changes: ['listKeys'] });
  const revoke = useAct('revokeKey', { changes: ['listKeys'] });
  if (validityOf(apiKey, Date.now()) !== 'valid') return null;
  const params = { id: apiKey.id };
  if (caller?.key?.id === apiKey.id) {
    return (
      <Text size="sm" c="dimmed">
        {words('self')}
      </Text>
    );
  }
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => {
          confirm({
            title: words('rotateTitle'),
            text: words('rotateText'),
            confirm: words('rotate'),
            act: () => {
              rotate.mutate(
                { params },
                {
                  onSuccess: ({ secret }) => {
                    show(secret);
                  },
                },
              );
            },
          });
        }}
      >
        {words('rotate')}
      </Button>
      <Button
        size="compact-sm"
        variant="subtle"
        color="red"
        onClick={() => {
          confirm({
            title: words('revokeTitle'),
            text: words('revokeText'),
            confirm: words('revoke'),
            act: () => {
              revoke.mutate({ params });
            },
          });
        }}
      >
        {words('revoke')}
      </Button>
    </Group>
  );
}

function NewKey({ made }: { made: (secret: string) => void }) {
  const words = useTranslations('access');
  const roleName = useTranslations('shell.role');
  const { session } = useSession();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState<number | string>(90);
  const create = useAct('createKey', { changes: ['listKeys'] });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const expiry = typeof days === 'number' ? { expiresInMs: days * dayMs } : {};
        create.mutate(
          { body: { name: name.trim(), role, ...expiry } },
          {
            onSuccess: ({ secret }) => {
              made(secret);
            },
          },
        );
      }}
    >
      <Stack>
        <TextInput
          label={words('name')}
          required
          maxLength={128}
          value={name}
          data-autofocus
          onChange={({ currentTarget: { value } }) => {
            setName(value);
          }}
        />
        <Select
          label={words('role')}
          allowDeselect={false}
          value={role}
          data={roles
            .filter((each) => isAtLeast(session.role, each))
            .map((value) => ({ value, label: roleName(value) }))}
          onChange={(chosen) => {
            if (chosen) setRole(chosen);
          }}
        />
        <NumberInput
          label={words('days')}
          description={words('daysHint')}
          min={1}
          max={1825}
          allowDecimal={false}
          value={days}
          onChange={setDays}
        />
        <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
          {words('keys.create')}
        </Button>
      </Stack>
    </form>
  );
}
