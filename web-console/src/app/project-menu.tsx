import { Button, Menu, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useList } from '../api/calls.tsx';
import { useRefusal } from '../api/refusal.ts';
import { chooseProject } from '../api/session.ts';
import { useSession } from './session.tsx';

/** The project that one is in, and the way to others for who has several. */
export function ProjectMenu() {
  const words = useTranslations('shell.session');
  const { session, changed } = useSession();
  const go = useNavigate();
  const { items = [] } = useList('listProjects', {});
  const refusal = useRefusal();
  const choose = useMutation({
    mutationFn: (project: string) => chooseProject(session, project),
    onSuccess: (moved) => {
      changed(moved);
      void go({ to: '/' }); // what the address names is in the other project
    },
    onError: (error) => {
      const { title, detail = '' } = refusal(error);
      notifications.show({ color: 'red', title, message: detail });
    },
  });
  if (items.length < 2) {
    return (
      <Text fw={650} truncate>
        {session.project.name}
      </Text>
    );
  }
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          px="xs"
          miw={0}
          rightSection={<IconSelector size={16} />}
          aria-label={`${words('project')}: ${session.project.name}`}
        >
          {session.project.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        {items.map(({ id, name }) => (
          <Menu.Item
            key={id}
            leftSection={
              <IconCheck size={16} visibility={id === session.project.id ? 'visible' : 'hidden'} />
            }
            onClick={() => {
              choose.mutate(id);
            }}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
