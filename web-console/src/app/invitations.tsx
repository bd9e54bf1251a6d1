import { Alert, Button, Group, Stack } from '@mantine/core';
import type { Operation } from '@starling/protocol/api';
import { useTranslations } from 'use-intl';
import { useAct, useList } from '../api/calls.tsx';

const changes: readonly Operation[] = ['listInvitations', 'listProjects'];

/** Invitations to other projects, until they are answered. */
export function Invitations() {
  const words = useTranslations('shell');
  const { items = [] } = useList('listInvitations', {});
  const accept = useAct('acceptInvitation', { changes });
  const decline = useAct('declineInvitation', { changes });
  const isPending = accept.isPending || decline.isPending;
  if (items.length === 0) return null;
  return (
    <Stack gap="sm" mb="md">
      {items.map(({ id, project, role }) => (
        <Alert
          key={id}
          title={words('invitation.title', { project: project.name, role: words(`role.${role}`) })}
        >
          <Group gap="sm">
            <Button
              size="xs"
              disabled={isPending}
              onClick={() => {
                accept.mutate({ params: { id } });
              }}
            >
              {words('invitation.accept')}
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={isPending}
              onClick={() => {
                decline.mutate({ params: { id } });
              }}
            >
              {words('invitation.decline')}
            </Button>
          </Group>
        </Alert>
      ))}
    </Stack>
  );
}
