import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { Named, type About } from './figure.tsx';

/** The head of a page: where one is, its title, what can be done; then its content. */
export function Page({
  title,
  lead,
  trail = [],
  badge,
  actions,
  children,
}: {
  title: string;
  lead?: ReactNode;
  /** Pages above this one: links of the router. */
  trail?: readonly ReactNode[];
  badge?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useDocumentTitle(`${title} · Starling`);
  return (
    <Stack gap="lg">
      <Stack gap={4}>
        {trail.length > 0 && (
          <Breadcrumbs fz="sm">
            {trail}
            <Anchor component="span" c="dimmed" underline="never" inherit>
              {title}
            </Anchor>
          </Breadcrumbs>
        )}
        <Group justify="space-between" align="flex-start" gap="sm">
          <Stack gap={4} miw={0} flex="1 1 14rem">
            <Group gap="sm">
              <Title order={1} style={{ overflowWrap: 'anywhere' }}>
                {title}
              </Title>
              {badge}
            </Group>
            {lead && (
              <Text c="dimmed" maw="60rem">
                {lead}
              </Text>
            )}
          </Stack>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
      </Stack>
      {children}
    </Stack>
  );
}

/** A titled part of a page, on a surface of its own. */
export function Panel({
  title,
  about,
  aside,
  children,
}: {
  title: ReactNode;
  /** What the figures inside are, where they do not say it themselves. */
  about?: About;
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Stack className="surface" p="md" gap="sm" component="section" data-explained={about && true}>
      <Group justify="space-between" gap="xs">
        <Title order={2}>
          <Named about={about}>{title}</Named>
        </Title>
        {aside}
      </Group>
      {children}
    </Stack>
  );
}
