import {
  Alert,
  AppShell,
  Badge,
  Box,
  Burger,
  Group,
  NavLink,
  ScrollArea,
  Stack,
  Text,
  Tooltip,
} from '@mantine/core';
import { useDebouncedValue, useDisclosure, useReducedMotion } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { IconLogout, IconPlugConnectedX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { useLiveEvents, type Liveness } from '../api/live.ts';
import { useRefusal } from '../api/refusal.ts';
import { signOut } from '../api/session.ts';
import { Mark } from '../components/mark.tsx';
import { Invitations } from './invitations.tsx';
import { sections } from './navigation.ts';
import { ProjectMenu } from './project-menu.tsx';
import { LanguageMenu, SchemeToggle } from './preferences.tsx';
import { useMay, useSession } from './session.tsx';

/** What stands around every page: where one is, what one may go to, who one is. */
export function Frame() {
  const words = useTranslations('shell');
  const [opened, { toggle, close }] = useDisclosure(false);
  const liveness = useLiveEvents(useSession().session.project.id);
  useReadAnew(liveness);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'md', sm: 'lg' }}
      transitionDuration={useReducedMotion() ? 0 : 200}
    >
      <a className="skip" href="#content">
        {words('skip')}
      </a>
      <AppShell.Header px="md" bg="var(--starling-surface)">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={words('menu')} />
            <Link to="/" className="mantine-active" aria-label={words('name')} style={{ display: 'flex' }}>
              <Mark size={28} />
            </Link>
            <ProjectMenu />
          </Group>
          <Group gap={4} wrap="nowrap" style={{ flexShrink: 0 }}>
            <LiveSign liveness={liveness} />
            <LanguageMenu />
            <SchemeToggle />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" bg="var(--starling-surface)" aria-label={words('menu')}>
        <AppShell.Section grow component={ScrollArea}>
          <Sections go={close} />
        </AppShell.Section>
        <AppShell.Section>
          <Caller />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Box maw={1680} mx="auto">
          <Away liveness={liveness} />
          <Invitations />
          <Outlet />
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}

/** Reads all that is shown anew when the server is back: events may have been missed, and reads have failed. */
function useReadAnew(liveness: Liveness): void {
  const cache = useQueryClient();
  const wasLost = useRef(false);
  useEffect(() => {
    if (liveness === 'lost') wasLost.current = true;
    if (liveness !== 'live' || !wasLost.current) return;
    wasLost.current = false;
    // the same forecast would be played again, to the same end
    void cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'forecastTask' });
  }, [cache, liveness]);
}

/** How long the server may be away before it is said: a short break mends itself unseen. */
const awayMs = 1_500;

function Away({ liveness }: { liveness: Liveness }) {
  const words = useTranslations('shell.live');
  const [lately] = useDebouncedValue(liveness, awayMs);
  return (
    <div role="status">
      {liveness === 'lost' && lately === 'lost' && (
        <Alert color="orange" mb="md" icon={<IconPlugConnectedX />}>
          {words('away')}
        </Alert>
      )}
    </div>
  );
}

function Sections({ go }: { go: () => void }) {
  const words = useTranslations('shell.nav');
  const may = useMay();
  const { pathname } = useLocation();
  return (
    <Stack gap={2}>
      {sections
        .filter(({ needs }) => may(needs))
        .map(({ to, name, icon: Icon, also }) => (
          <NavLink
            key={to}
            component={Link}
            to={to}
            label={words(name)}
            leftSection={<Icon size={18} stroke={1.6} />}
            active={to === '/' ? pathname === '/' : [to, ...also].some((start) => pathname.startsWith(start))}
            onClick={go}
            style={{ borderRadius: 'var(--mantine-radius-md)' }}
          />
        ))}
    </Stack>
  );
}

function Caller() {
  const refusal = useRefusal();
  const words = useTranslations('shell');
  const { session, changed } = useSession();
  return (
    <Group
      justify="space-between"
      wrap="nowrap"
      pt="sm"
      style={{ borderTop: '1px solid var(--starling-line)' }}
    >
      <Stack gap={0} miw={0}>
        <Text size="sm" fw={600} truncate>
          {session.name}
        </Text>
        <Text size="xs" c="dimmed">
          {words(`role.${session.role}`)}
        </Text>
      </Stack>
      <NavLink
        component="button"
        w="auto"
        aria-label={words('session.signOut')}
        leftSection={<IconLogout size={18} />}
        onClick={() => {
          signOut(session).then(
            () => {
              changed(null);
            },
            (error: Error) => {
              const { title, detail } = refusal(error); // the cookie is good as before
              notifications.show({ color: 'red', title, message: detail });
            },
          );
        }}
      />
    </Group>
  );
}

const signs = { connecting: 'gray', live: 'teal', lost: 'orange' } as const satisfies Record<
  Liveness,
  string
>;

function LiveSign({ liveness }: { liveness: Liveness }) {
  const words = useTranslations('shell.live');
  return (
    <Tooltip label={words('meaning')} multiline maw={260}>
      <Badge
        variant="dot"
        color={signs[liveness]}
        tabIndex={0}
        role="status"
        tt="none"
        maw={{ base: 112, sm: 'none' }}
        style={{ flexShrink: 0, background: 'transparent' }}
      >
        {words(liveness)}
      </Badge>
    </Tooltip>
  );
}
