import { Alert, Box, Group, Select, SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core';
import { readSafetensors, type ModelVersion, type Task, type VersionId } from '@starling/protocol';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useFormatter, useTranslations } from 'use-intl';
import { readBlob } from '../../api/blobs.ts';
import { useList, useRead } from '../../api/calls.tsx';
import { Explained, Figures } from '../../components/figure.tsx';
import { Panel } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { TallTable } from '../../components/tall-table.tsx';
import { compareWeights, type Comparison } from './compare.ts';

/** How the weights of two versions differ, computed here from both files. */
export function ComparePanel({
  version,
  task,
  other,
}: {
  version: ModelVersion;
  task: Task;
  other: VersionId | undefined;
}) {
  const words = useTranslations('models.compare');
  const navigate = useNavigate();
  const { bytes } = useQuantities();
  const { items: versions } = useList('listVersions', { params: { id: task.id }, query: { limit: 200 } });
  const chosen = other ?? version.parent ?? undefined;
  const second = useRead(
    'getVersion',
    { params: { id: chosen as VersionId } }, // asked only when there is one
    { enabled: chosen !== undefined },
  );
  const names = new Map(
    versions
      ?.filter(({ id, prunedAt }) => id !== version.id && prunedAt === null)
      .map(({ id, number }) => [id as string, words('version', { number })]),
  );
  // of another task: a clone begins with a version of the task it was cloned from
  if (second.data && !names.has(second.data.id)) {
    names.set(second.data.id, words('version', { number: second.data.number }));
  }
  return (
    <Stack gap="md">
      <Group gap="md" align="flex-end">
        <Select
          label={words('with')}
          searchable
          w={{ base: '100%', xs: 280 }}
          placeholder={words('choose')}
          data={[...names].map(([value, label]) => ({ value, label }))}
          value={chosen ?? null}
          allowDeselect={false}
          onChange={(id) => {
            if (id === null) return;
            void navigate({
              to: '/versions/$id',
              params: { id: version.id },
              search: { tab: 'compare', with: id },
            });
          }}
        />
        <Text size="sm" c="dimmed">
          <Explained meaning={words('costMeaning')} from="getVersion">
            {words('cost', { bytes: bytes(version.bytes + (second.data?.bytes ?? 0)) })}
          </Explained>
        </Text>
      </Group>
      {second.error ? (
        <Problem error={second.error} />
      ) : chosen === undefined ? (
        <Alert color="gray">{words('nothing')}</Alert>
      ) : second.data ? (
        <Compared from={second.data} to={version} />
      ) : (
        <Skeleton h={320} />
      )}
    </Stack>
  );
}

function Compared({ from, to }: { from: ModelVersion; to: ModelVersion }) {
  const words = useTranslations('models.compare');
  const format = useFormatter();
  const { percent } = useQuantities();
  const { data, error, refetch } = useQuery<Comparison>({
    queryKey: ['weights compared', from.weights, to.weights],
    staleTime: Infinity, // files of these names never change
    queryFn: async () => {
      const [first, second] = await Promise.all([readBlob(from.weights), readBlob(to.weights)]);
      return compareWeights(readSafetensors(first).tensors, readSafetensors(second).tensors);
    },
  });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton h={320} aria-label={words('computing')} />;
  const number = (value: number) => format.number(value, { maximumSignificantDigits: 4 });
  return (
    <Stack gap="md">
      {data.unmatched.length > 0 && (
        <Alert color="orange">{words('unmatched', { names: data.unmatched.join(', ') })}</Alert>
      )}
      <Figures
        from="getVersion"
        figures={[
          { name: words('distance'), value: number(data.distance), meaning: words('distanceMeaning') },
          {
            name: words('relative'),
            value: data.norms[0] === 0 ? null : percent(data.distance / data.norms[0]),
            meaning: words('relativeMeaning'),
          },
          { name: words('largest'), value: number(data.largest), meaning: words('largestMeaning') },
          {
            name: words('equal'),
            value: data.count === 0 ? null : percent(data.equal / data.count),
            meaning: words('equalMeaning'),
          },
        ]}
      />
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Panel title={words('histogram')} about={{ meaning: words('histogramMeaning'), from: 'getVersion' }}>
          <Histogram comparison={data} />
        </Panel>
        <Panel title={words('tensors')}>
          <TallTable
            name={words('tensors')}
            height={420}
            heads={(['tensor', 'before', 'after', 'distance'] as const).map((name) => ({
              head: words(name),
              about: { meaning: words(`ofTensor.${name}`), from: 'getVersion' },
              right: name !== 'tensor',
            }))}
          >
            {data.tensors.map(({ name, shape, norms, distance }) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={400}>
                  <Text span size="sm" ff="monospace">
                    {name}
                  </Text>{' '}
                  <Text span size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                    {shape.join(' × ')}
                  </Text>
                </Table.Th>
                <Table.Td ta="right">{number(norms[0])}</Table.Td>
                <Table.Td ta="right">{number(norms[1])}</Table.Td>
                <Table.Td ta="right" fw={600}>
                  {number(distance)}
                </Table.Td>
              </Table.Tr>
            ))}
          </TallTable>
        </Panel>
      </SimpleGrid>
    </Stack>
  );
}

/** How many values changed by how much; heights by the root, so that few far out are still seen. */
function Histogram({ comparison: { histogram, largest, count } }: { comparison: Comparison }) {
  const words = useTranslations('models.compare');
  const format = useFormatter();
  const most = Math.max(1, ...histogram);
  const number = (value: number) => format.number(value, { maximumSignificantDigits: 3 });
  return (
    <div>
      <Group
        gap={2}
        h={200}
        align="flex-end"
        wrap="nowrap"
        role="img"
        aria-label={words('histogramSaid', { count, largest: number(largest) })}
        style={{ borderBottom: '1px solid var(--starling-line)' }}
      >
        {histogram.map((values, bin) => (
          <Box
            key={bin}
            flex={1}
            title={format.number(values)}
            h={values === 0 ? 0 : `${Math.max(1, 100 * Math.sqrt(values / most))}%`}
            style={{ background: 'var(--mantine-primary-color-filled)', borderRadius: '2px 2px 0 0' }}
          />
        ))}
      </Group>
      <Group justify="space-between" mt={4}>
        {[-largest, 0, largest].map((value, index) => (
          <Text key={index} size="xs" c="dimmed">
            {number(value)}
          </Text>
        ))}
      </Group>
    </div>
  );
}
