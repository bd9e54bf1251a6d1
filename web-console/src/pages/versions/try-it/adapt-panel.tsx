import { Alert, Badge, Button, CloseButton, Group, NumberInput, Select, Stack, Text } from '@mantine/core';
import type { PersonalModel } from '@starling/client-sdk';
import type { Task } from '@starling/protocol';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { messageOf } from '../../../api/problems.ts';
import { Panel } from '../../../components/page.tsx';
import { useQuantities } from '../../../components/quantities.ts';
import type { RowShape } from '../../models/document.ts';
import { asInput, type Trial } from './engine.ts';

type Judgement = ReturnType<PersonalModel['judge']>;

export interface LabelledRow {
  readonly name: string;
  readonly x: Float32Array;
  readonly label: number;
}

/** Collects labelled rows and adapts the model to them, as a device would. */
export function AdaptPanel({
  trial,
  row,
  adaptation,
  values,
  examples,
  setExamples,
  personal,
  setPersonal,
  label,
}: {
  trial: Trial;
  row: RowShape;
  adaptation: Task['plan']['adaptation'];
  values: Float32Array | undefined;
  examples: readonly LabelledRow[];
  setExamples: (examples: LabelledRow[]) => void;
  personal: PersonalModel | undefined;
  setPersonal: (personal: PersonalModel | undefined) => void;
  label: (classIndex: number) => void;
}) {
  const words = useTranslations('models.try');
  const { percent } = useQuantities();
  const [chosen, setChosen] = useState<string | null>(null);
  const [steps, setSteps] = useState(Math.max(1, adaptation.steps));
  const [rate, setRate] = useState(adaptation.rate === 'learned' ? 0.01 : adaptation.rate);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [judged, setJudged] = useState<{ count: number; before: Judgement; after: Judgement }>();
  const given = {
    x: asInput(
      examples.map(({ x }) => x),
      row.vocabulary !== undefined,
    ),
    y: Int32Array.from(examples, (example) => example.label),
    count: examples.length,
  };
  const adapt = async () => {
    setPending(true);
    setProblem(undefined);
    try {
      const settings = { steps, rate: adaptation.rate === 'learned' ? ('learned' as const) : rate };
      const adapted = await trial.adapt(given, settings);
      setPersonal(adapted);
      setJudged({ count: given.count, before: adapted.judgeShared(given), after: adapted.judge(given) });
    } catch (error) {
      setProblem(error instanceof Error ? messageOf(error) : String(error));
    } finally {
      setPending(false);
    }
  };
  const shareOf = ({ correct, count }: { correct: number; count: number }) => percent(correct / count);
  return (
    <Panel title={words('adapt')} about={{ meaning: words('adaptMeaning'), from: 'getVersion' }}>
      <Text size="sm" c="dimmed" maw={760}>
        {words('adaptLead')}
      </Text>
      <Group align="flex-end" gap="sm">
        <Select
          label={words('labelAs')}
          searchable
          w={180}
          data={Array.from({ length: row.classes }, (_, index) => ({
            value: String(index),
            label: words('class', { index }),
          }))}
          value={chosen}
          onChange={setChosen}
        />
        <Button
          variant="default"
          disabled={!values || chosen === null}
          onClick={() => {
            label(Number(chosen));
          }}
        >
          {words('add')}
        </Button>
      </Group>
      <Labelled examples={examples} setExamples={setExamples} />
      <Group align="flex-end" gap="sm">
        <NumberInput
          label={words('steps')}
          w={120}
          min={1}
          max={1000}
          allowDecimal={false}
          value={steps}
          onChange={(value) => {
            if (typeof value === 'number' && value >= 1) setSteps(value);
          }}
        />
        {adaptation.rate === 'learned' ? (
          <Text size="sm" c="dimmed" pb={8}>
            {words('learned')}
          </Text>
        ) : (
          <NumberInput
            label={words('rate')}
            w={140}
            min={0}
            step={0.01}
            value={rate}
            onChange={(value) => {
              if (typeof value === 'number' && value > 0) setRate(value);
            }}
          />
        )}
        <Button disabled={examples.length === 0} loading={pending} onClick={() => void adapt()}>
          {words('go')}
        </Button>
        {personal && (
          <Button
            variant="default"
            onClick={() => {
              setPersonal(undefined);
            }}
          >
            {words('forget')}
          </Button>
        )}
      </Group>
      {problem !== undefined && (
        <Alert color="red" role="alert">
          {problem}
        </Alert>
      )}
      {personal && judged && (
        <Alert color="teal" role="status">
          {words('judged', {
            count: judged.count,
            before: shareOf(judged.before),
            after: shareOf(judged.after),
          })}
        </Alert>
      )}
    </Panel>
  );
}

/** How many rows of each class there are; a class can be emptied. */
function Labelled({
  examples,
  setExamples,
}: {
  examples: readonly LabelledRow[];
  setExamples: (examples: LabelledRow[]) => void;
}) {
  const words = useTranslations('models.try');
  const counts = new Map<number, number>();
  for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size === 0) return <Text size="sm">{words('noneLabelled')}</Text>;
  return (
    <Stack gap={4}>
      <Text size="sm">{words('labelled', { count: examples.length })}</Text>
      <Group gap={6}>
        {[...counts]
          .sort(([a], [b]) => a - b)
          .map(([index, count]) => (
            <Badge
              key={index}
              variant="default"
              tt="none"
              size="lg"
              rightSection={
                <CloseButton
                  size="xs"
                  aria-label={words('remove', { index })}
                  onClick={() => {
                    setExamples(examples.filter((example) => example.label !== index));
                  }}
                />
              }
            >
              {words('ofClass', { index, count })}
            </Badge>
          ))}
      </Group>
    </Stack>
  );
}
