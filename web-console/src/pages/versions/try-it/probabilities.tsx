import { Box, Group, Stack, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useQuantities } from '../../../components/quantities.ts';
import { mostProbable } from './most-probable.ts';

/** Classes that are shown. */
const shown = 8;

/** The most probable classes, before adaptation and, once there is one, after. */
export function Probabilities({ before, after }: { before: Float32Array; after: Float32Array | undefined }) {
  const words = useTranslations('models.try');
  const { percent } = useQuantities();
  const [winner] = mostProbable(after ?? before, 1);
  const classes = mostProbable(after ?? before, shown);
  return (
    <Stack gap="md">
      <div aria-live="polite">
        <Text size="sm" c="dimmed">
          {words(after ? 'answerAfter' : 'answerBefore')}
        </Text>
        <Text size="xl" fw={650} data-testid="prediction">
          {words('class', { index: winner ?? 0 })}{' '}
          <Text span c="dimmed" fw={400}>
            {percent((after ?? before)[winner ?? 0] ?? 0)}
          </Text>
        </Text>
      </div>
      <Stack gap="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {classes.map((index) => (
          <li key={index} data-testid={`class-${index}`}>
            <Text size="sm" fw={600}>
              {words('class', { index })}
            </Text>
            <Bar name={words('before')} share={before[index] ?? 0} faint={after !== undefined} />
            {after && <Bar name={words('after')} share={after[index] ?? 0} />}
          </li>
        ))}
      </Stack>
      {before.length > shown && (
        <Text size="sm" c="dimmed">
          {words('others', { count: before.length - shown })}
        </Text>
      )}
    </Stack>
  );
}

function Bar({ name, share, faint = false }: { name: string; share: number; faint?: boolean }) {
  const { percent } = useQuantities();
  return (
    <Group gap="sm" wrap="nowrap">
      <Text size="xs" c="dimmed" w={56} style={{ flexShrink: 0 }}>
        {name}
      </Text>
      <Box flex={1} h={8} bg="var(--starling-line)" style={{ borderRadius: 4 }} aria-hidden>
        <Box
          h={8}
          w={`${100 * share}%`}
          style={{
            background: faint ? 'var(--mantine-color-dimmed)' : 'var(--mantine-primary-color-filled)',
            borderRadius: 4,
          }}
        />
      </Box>
      <Text size="sm" ta="right" w={56} style={{ flexShrink: 0 }} data-share={share}>
        {percent(share)}
      </Text>
    </Group>
  );
}
