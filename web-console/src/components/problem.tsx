import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { ProblemError } from '@starling/protocol';
import { endpoints, type Endpoint, type Operation } from '@starling/protocol/api';
import {
  IconAlertTriangle,
  IconLock,
  IconMapPinOff,
  IconPlugConnectedX,
  type Icon,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { isOffline, mayPass } from '../api/problems.ts';
import { useRefusal } from '../api/refusal.ts';
import { useSession } from '../app/session.tsx';

/** Why something is not shown, in the page's words and the server's, and what one can do. */
export function Problem({
  error,
  retry,
}: {
  error: Error;
  /** Tries again; without it, all that failed on the page is asked for again. */
  retry?: () => void;
}) {
  const words = useTranslations('shell.problem');
  const cache = useQueryClient();
  const { title, detail } = useRefusal()(error);
  const code = error instanceof ProblemError ? error.code : undefined;
  const again =
    retry ??
    (() => {
      void cache.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' });
    });
  return (
    <Notice icon={isOffline(error) ? IconPlugConnectedX : iconOf(code)} title={title}>
      {detail !== undefined && (
        <Text lang="en" c="dimmed" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
          {detail}
        </Text>
      )}
      {code === 'forbidden' && <Text c="dimmed">{words('forbiddenHint')}</Text>}
      <Group gap="sm" justify="center">
        {code !== undefined && (
          <Text size="sm" c="dimmed">
            {words('code')} <code>{code}</code>
          </Text>
        )}
        {mayPass(error) && (
          <Button variant="default" size="xs" onClick={again}>
            {words('retry')}
          </Button>
        )}
      </Group>
    </Notice>
  );
}

function iconOf(code: string | undefined): Icon {
  return code === 'forbidden' ? IconLock : code === 'not-found' ? IconMapPinOff : IconAlertTriangle;
}

function Notice({ icon: Sign, title, children }: { icon: Icon; title: string; children: ReactNode }) {
  return (
    <Stack
      className="surface"
      p="xl"
      align="center"
      ta="center"
      gap="xs"
      role="alert"
      maw={560}
      w="100%"
      mx="auto"
    >
      <Sign size={36} stroke={1.4} color="var(--mantine-color-dimmed)" />
      <Title order={2}>{title}</Title>
      {children}
    </Stack>
  );
}

/** In the place of a page that one may not see: which role it takes, and which one has. */
export function NotAllowed({ needs }: { needs: Operation }) {
  const words = useTranslations('shell.problem');
  const roles = useTranslations('shell.role');
  const { session } = useSession();
  const { role }: Endpoint = endpoints[needs];
  useDocumentTitle(`${words('forbidden')} · Starling`);
  return (
    <Notice icon={IconLock} title={words('forbidden')}>
      <Text>{words('takes', { role: roles(role), yours: roles(session.role) })}</Text>
      <Text c="dimmed">{words('forbiddenHint')}</Text>
    </Notice>
  );
}

/** For an address that names no page. */
export function NotHere() {
  const words = useTranslations('shell');
  useDocumentTitle(`${words('problem.noPage')} · Starling`);
  return (
    <Notice icon={IconMapPinOff} title={words('problem.noPage')}>
      <Text c="dimmed" style={{ overflowWrap: 'anywhere' }}>
        <code>{window.location.pathname}</code>
      </Text>
      <Button component={Link} to="/" variant="default" size="xs">
        {words('problem.home', { place: words('nav.fleet') })}
      </Button>
    </Notice>
  );
}

/** For a page that threw. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return <Problem error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
}
