import { Group, SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { useTranslations } from 'use-intl';

/** In the place of a page whose answer is on its way: its parts in grey, where they will be. */
export function PageLoading({
  figures = 4,
  lead = false,
  tabs = false,
}: {
  /** How many figures stand below the title. */
  figures?: number;
  /** Whether a line stands below the title. */
  lead?: boolean;
  /** Whether the page has tabs. */
  tabs?: boolean;
}) {
  const words = useTranslations('shell.list');
  return (
    <Stack gap="lg" className="soon" role="status" aria-busy aria-label={words('loading')}>
      <Stack gap={6}>
        <Skeleton h={16} w={160} />
        <Skeleton h={30} w={260} maw="100%" />
        {lead && <Skeleton h={18} w={420} maw="100%" />}
      </Stack>
      {tabs && (
        <Group gap="lg" wrap="nowrap">
          {[72, 72, 56].map((width, place) => (
            <Skeleton key={place} h={28} w={width} />
          ))}
        </Group>
      )}
      {figures > 0 && (
        <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
          {Array.from({ length: figures }, (_, place) => (
            <Skeleton key={place} h={86} />
          ))}
        </SimpleGrid>
      )}
      <Skeleton h={320} />
    </Stack>
  );
}
