import { Group, Select, Text, TextInput } from '@mantine/core';
import { isAtLeast, roles, type Role } from '@starling/protocol';
import type { ApiKey } from '@starling/protocol/api';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useList, useRead } from '../../api/calls.tsx';
import { useSession } from '../../app/session.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import type { Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Ago } from '../../components/time.tsx';
import { expiryOf, type Days } from './expiry.tsx';
import { SecretForm, useTimeColumns } from './secret-form.tsx';
import { SecretList } from './secret-list.tsx';
import { Validity, validityOf } from './validity.tsx';

/** API keys: made, rotated, revoked. */
export function Keys() {
  const words = useTranslations('access');
  const [secret, setSecret] = useState<string>();
  return (
    <SecretList
      name={words('tab.keys')}
      create={words('keys.create')}
      list={useList('listKeys', {})}
      columns={useColumns(setSecret)}
      empty={<Nothing title={words('keys.empty')}>{words('keys.emptyHint')}</Nothing>}
      form={(made) => <NewKey made={made} />}
      secret={secret}
      show={setSecret}
    />
  );
}

function useColumns(show: (secret: string) => void): Column<ApiKey>[] {
  const words = useTranslations('access');
  const role = useTranslations('shell.role');
  return [
    {
      head: words('name'),
      cell: (key) => (
        <>
          <Text fw={600} inherit style={{ overflowWrap: 'anywhere' }}>
            {key.name}
          </Text>
          <Text size="xs" c="dimmed" hiddenFrom="md">
            {role(key.role)}
          </Text>
        </>
      ),
    },
    { head: words('role'), wide: true, cell: (key) => role(key.role) },
    { head: words('state'), cell: (key) => <Validity of={key} /> },
    { head: words('keys.lastUsed'), wide: true, cell: ({ lastUsedAt }) => <Ago at={lastUsedAt} /> },
    ...useTimeColumns<ApiKey>(),
    { head: '', right: true, cell: (key) => <KeyActs apiKey={key} show={show} /> },
  ];
}

function KeyActs({ apiKey, show }: { apiKey: ApiKey; show: (secret: string) => void }) {
  const words = useTranslations('access.keys');
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
    <Group gap={4} justify="flex-end">
      <ConfirmButton
        name={words('rotate')}
        title={words('rotateTitle')}
        text={words('rotateText')}
        pending={rotate.isPending}
        undoable
        act={() => {
          rotate.mutate(
            { params },
            {
              onSuccess: ({ secret }) => {
                show(secret);
              },
            },
          );
        }}
      />
      <ConfirmButton
        name={words('revoke')}
        title={words('revokeTitle')}
        text={words('revokeText')}
        pending={revoke.isPending}
        act={() => {
          revoke.mutate({ params });
        }}
      />
    </Group>
  );
}

function NewKey({ made }: { made: (secret: string) => void }) {
  const words = useTranslations('access');
  const roleName = useTranslations('shell.role');
  const { session } = useSession();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [days, setDays] = useState<Days>(90);
  const create = useAct('createKey', { changes: ['listKeys'] });
  return (
    <SecretForm
      name={words('keys.create')}
      ready={name.trim() !== ''}
      pending={create.isPending}
      days={days}
      changeDays={setDays}
      make={() => {
        create.mutate(
          { body: { name: name.trim(), role, ...expiryOf(days) } },
          {
            onSuccess: ({ secret }) => {
              made(secret);
            },
          },
        );
      }}
    >
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
    </SecretForm>
  );
}
