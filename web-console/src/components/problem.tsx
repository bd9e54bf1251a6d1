import { Button, Code, Group, Stack, Text, Title } from '@mantine/core';
import { ProblemError } from '@starling/protocol';
import { IconAlertTriangle, IconLock, IconMapPinOff, IconPlugConnectedX } from '@tabler/icons-react';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { messageOf } from '../api/problems.ts';

/** Why something is not shown, in the server's words, and what one can do. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
  const words = useTranslations('shell.problem');
  const code = error instanceof ProblemError ? error.code : undefined;
  const offline = !(error instanceof ProblemError) && error instanceof TypeError;
  const Icon =
    code === 'forbidden'
      ? IconLock
      : code === 'not-found'
        ? IconMapPinOff
        : offline
          ? IconPlugConnectedX
          : IconAlertTriangle;
  const title =
    code === 'forbidden' ? words('forbidden') : code === 'not-found' ? words('notFound') : words('title');
  return (
    <Stack className="surface" p="xl" align="center" ta="center" gap="xs" role="alert" maw={560} mx="auto">
      <Icon size={36} stroke={1.4} color="var(--mantine-color-dimmed)" />
      <Title order={2}>{title}</Title>
      <Text style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
        {offline ? words('offline') : messageOf(error)}
      </Text>
      {code === 'forbidden' && <Text c="dimmed">{words('forbiddenHint')}</Text>}
      <Group gap="sm" justify="center">
        {code !== undefined && (
          <Text size="sm" c="dimmed">
            {words('code')} <Code>{code}</Code>
          </Text>
        )}
        {retry && (
          <Button variant="default" size="xs" onClick={retry}>
            {words('retry')}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

/** For an address that names no page. */
export function NotHere() {
  return <Problem error={new ProblemError('not-found', window.location.pathname)} />;
}

/** For a page that threw. */
export function PageFailed({ error, reset }: ErrorComponentProps) {
  return <Problem error={error instanceof Error ? error : new Error(String(error))} retry={reset} />;
}
