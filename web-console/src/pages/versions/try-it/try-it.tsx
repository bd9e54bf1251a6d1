import { Alert, Button, Group, Loader, SimpleGrid, Stack, Text } from '@mantine/core';
import type { PersonalModel } from '@starling/client-sdk';
import type { ModelVersion, Task } from '@starling/protocol';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { Panel } from '../../../components/page.tsx';
import { Problem } from '../../../components/problem.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import { documentOf, rowShapeOf, type RowShape } from '../../models/document.ts';
import { AdaptPanel, type LabelledRow } from './adapt-panel.tsx';
import { asInput, newRowName, openTrial, type Trial } from './engine.ts';
import { ExampleInput } from './example-input.tsx';
import { Probabilities } from './probabilities.tsx';

/** Lets a person try a version in the browser: what it predicts, and what a few examples of their own make of it. */
export function TryIt({ version, task }: { version: ModelVersion; task: Task }) {
  const words = useTranslations('models.try');
  const { bytes } = useQuantities();
  const [wanted, setWanted] = useState(false);
  const model = useRead('getModel', { params: { digest: task.model } });
  const row = useMemo(() => model.data && rowShapeOf(documentOf(model.data)), [model.data]);
  const { data: trial, error } = useQuery<Trial>({
    queryKey: ['trial', version.id],
    queryFn: () => openTrial(version, task, model.data as NonNullable<typeof model.data>), // enabled with it
    enabled: wanted && model.data !== undefined,
    staleTime: Infinity,
    structuralSharing: false, // what is in it is no plain data
    gcTime: 0, // a compiled model holds memory
  });
  useEffect(() => () => trial?.close(), [trial]);
  const problem = model.error ?? error;
  if (problem) return <Problem error={problem} />;
  if (!model.data) return <Loader type="dots" />;
  if (!row) return <Alert color="gray">{words('unsuited')}</Alert>;
  if (!trial) {
    return (
      <Panel title={words('title')} about={{ meaning: words('titleMeaning'), from: 'getVersion' }}>
        <Text c="dimmed" maw={640}>
          {words('lead', { bytes: bytes(version.bytes) })}
        </Text>
        <Group>
          <Button
            loading={wanted}
            onClick={() => {
              setWanted(true);
            }}
          >
            {words('load')}
          </Button>
        </Group>
      </Panel>
    );
  }
  return <Bench trial={trial} row={row} task={task} />;
}

function Bench({ trial, row, task }: { trial: Trial; row: RowShape; task: Task }) {
  const words = useTranslations('models.try');
  const [values, setValues] = useState<Float32Array>();
  const [examples, setExamples] = useState<LabelledRow[]>([]);
  const [personal, setPersonal] = useState<PersonalModel>();
  const tokens = row.vocabulary !== undefined;
  const input = useMemo(() => values && asInput([values], tokens), [values, tokens]);
  const before = useMemo(() => input && trial.model.predict(input)[0], [trial, input]);
  const after = useMemo(() => input && personal?.predict(input)[0], [personal, input]);
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="md">
        <Panel title={words('example')} about={{ meaning: words('exampleMeaning'), from: 'getModel' }}>
          <ExampleInput
            row={row}
            values={values}
            show={setValues}
            addLabelled={(added) => {
              setExamples((current) => [...current, ...added]);
            }}
          />
        </Panel>
        <Panel
          title={words('prediction')}
          about={{ meaning: words('predictionMeaning'), from: 'getVersion' }}
        >
          {before ? (
            <Probabilities before={before.probabilities} after={after?.probabilities} />
          ) : (
            <Text c="dimmed">{words('noExample')}</Text>
          )}
        </Panel>
      </SimpleGrid>
      <AdaptPanel
        trial={trial}
        row={row}
        adaptation={task.plan.adaptation}
        values={values}
        examples={examples}
        setExamples={setExamples}
        personal={personal}
        setPersonal={setPersonal}
        label={(classIndex) => {
          if (values)
            setExamples((current) => [...current, { name: newRowName(), x: values, label: classIndex }]);
        }}
      />
    </Stack>
  );
}
