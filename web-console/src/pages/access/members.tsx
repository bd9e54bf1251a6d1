import { Badge, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { personRoles, type PersonRole } from '@starling/protocol';
import type { Member } from '@starling/protocol/api';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useList } from '../../api/calls.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Ago } from '../../components/time.tsx';

/** People of the project, and who is invited. */
export function Members() {
  const words = useTranslations('access');
  const list = useList('listMembers', {});
  return (
    <Stack>
      <Invite />
      <ItemList
        name={words('tab.members')}
        list={list}
        columns={useColumns()}
        keyOf={({ id }) => id}
        empty={<Nothing title={words('members.empty')}>{words('members.emptyHint')}</Nothing>}
      />
    </Stack>
  );
}

function useRoleChoices() {
  const name = useTranslations('shell.role');
  return personRoles.map((value) => ({ value, label: name(value) }));
}

function Invite() {
  const words = useTranslations('access');
  const choices = useRoleChoices();
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<PersonRole>('viewer');
  const invite = useAct('inviteMember', { changes: ['listMembers'] });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        invite.mutate(
          { body: { email: email.trim(), role } },
          {
            onSuccess: () => {
              setEmail('');
            },
          },
        );
      }}
    >
      <Group align="flex-end" gap="sm">
        <TextInput
          label={words('members.email')}
          type="email"
          required
          w={280}
          value={email}
          onChange={({ currentTarget: { value } }) => {
            setEmail(value);
          }}
        />
        <Select
          label={words('role')}
          w={150}
          allowDeselect={false}
          value={role}
          data={choices}
          onChange={(chosen) => {
            if (chosen) setRole(chosen);
          }}
        />
        <Button type="submit" loading={invite.isPending}>
          {words('members.invite')}
        </Button>
      </Group>
    </form>
  );
}

function useColumns(): Column<Member>[] {
  const words = useTranslations('access');
  return [
    {
      head: words('members.email'),
      cell: ({ email }) => (
        <Text fw={600} inherit>
          {email}
        </Text>
      ),
    },
    { head: words('members.person'), wide: true, cell: ({ name }) => name ?? '' },
    { head: words('role'), cell: (member) => <RoleOf member={member} /> },
    {
      head: words('state'),
      cell: ({ joinedAt, removedAt }) => (
        <Badge
          variant="light"
          tt="none"
          color={removedAt !== null ? 'red' : joinedAt === null ? 'yellow' : 'teal'}
        >
          {words(
            removedAt !== null ? 'members.removed' : joinedAt === null ? 'members.invited' : 'members.joined',
          )}
        </Badge>
      ),
    },
    { head: words('created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
    { head: '', right: true, cell: (member) => <Remove member={member} /> },
  ];
}

function RoleOf({ member: { id, email, role, removedAt } }: { member: Member }) {
  const words = useTranslations('access');
  const choices = useRoleChoices();
  const change = useAct('changeMember', { changes: ['listMembers'] });
  return (
    <Select
      aria-label={`${words('role')}: ${email}`}
      size="xs"
      w={130}
      allowDeselect={false}
      disabled={removedAt !== null || change.isPending}
      value={role}
      data={choices}
      onChange={(chosen) => {
        if (chosen && chosen !== role) change.mutate({ params: { id }, body: { role: chosen } });
      }}
    />
  );
}

function Remove({ member: { id, removedAt } }: { member: Member }) {
  const words = useTranslations('access.members');
  const remove = useAct('removeMember', { changes: ['listMembers'] });
  if (removedAt !== null) return null;
  return (
    <ConfirmButton
      name={words('remove')}
      title={words('removeTitle')}
      text={words('removeText')}
      pending={remove.isPending}
      act={() => {
        remove.mutate({ params: { id } });
      }}
    />
  );
}
