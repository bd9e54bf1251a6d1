import { Badge, Group, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';

export function OnlineSign({ online }: { online: boolean }) {
  const words = useTranslations('devices');
  return (
    <Badge variant="dot" color={online ? 'teal' : 'gray'} tt="none" bg="transparent">
      {words(online ? 'online' : 'offline')}
    </Badge>
  );
}

/** What a device said of its network, in words; nothing where it did not say. */
export function useNetworkName(): (network: string | null) => string {
  const words = useTranslations('states.network');
  return (network) => words(network === 'unmetered' || network === 'metered' ? network : 'untold');
}

/** Labels of a device or an enrolment token. */
export function Labels({ labels }: { labels: Readonly<Record<string, string>> }) {
  const words = useTranslations('devices');
  const all = Object.entries(labels);
  if (all.length === 0) {
    return (
      <Text span c="dimmed" size="sm">
        {words('noLabels')}
      </Text>
    );
  }
  return (
    <Group gap={4}>
      {all.map(([name, value]) => (
        <Badge key={name} variant="default" tt="none" fw={500}>
          {name}={value}
        </Badge>
      ))}
    </Group>
  );
}
