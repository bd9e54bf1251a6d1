import { Button, Checkbox, Modal, NumberInput, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import type { EvaluationSpec, ProblemError, Task } from '@starling/protocol';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useRead } from '../../api/calls.tsx';
import { DialogFoot } from '../../components/dialog-foot.tsx';
import { useFocusBack } from '../../components/focus-back.ts';
import { labelsAsText, labelsIn, numbersIn } from '../../components/plan/values.ts';

/** What the plan says of judging, or else what it says of adaptation. */
function specOf({ plan }: Task): EvaluationSpec {
  if (plan.evaluation) return plan.evaluation.spec;
  const { goal, minimum, select } = plan.cohort;
  const { steps, rate } = plan.adaptation;
  return {
    goal,
    minimum,
    supportShares: [0.5],
    steps: [Math.max(1, steps)],
    rate,
    ...(select && { select }),
  };
}

/** Asks for a round of judging of the newest version. */
export function EvaluateNow({ task, close }: { task: Task; close: () => void }) {
  const words = useTranslations('task.evaluate');
  const navigate = useNavigate();
  useFocusBack();
  const [spec, setSpec] = useState(() => specOf(task));
  const [steps, setSteps] = useState(spec.steps.join(', '));
  const [shares, setShares] = useState(spec.supportShares.join(', '));
  const [select, setSelect] = useState(labelsAsText(spec.select));
  const [refused, setRefused] = useState<ProblemError>();
  const { data: version } = useRead('getVersion', { params: { id: task.currentVersion } });
  const ask = useAct('evaluateTask', { changes: ['listRounds', 'getFleet'], onProblem: setRefused });
  const labels = labelsIn(select);
  const submit = () => {
    const { select: _before, ...rest } = spec;
    const body = {
      ...rest,
      steps: numbersIn(steps),
      supportShares: numbersIn(shares),
      ...(Object.keys(labels).length > 0 && { select: labels }),
    } as EvaluationSpec; // as a person wrote it: the server checks it, and says what is wrong
    ask.mutate(
      { params: { id: task.id }, body: { spec: body, version: task.currentVersion } },
      {
        onSuccess: ({ id }) => {
          close();
          notifications.show({ message: words('asked', { number: String(version?.number ?? '') }) });
          void navigate({ to: `/rounds/${id}` });
        },
      },
    );
  };
  const problem = (field: string) =>
    refused?.extra.errors?.find(({ path }) => path.replaceAll('/', '.').includes(`spec.${field}`))?.message;
  const number = (value: number | string) => (value === '' ? NaN : Number(value));
  return (
    <Modal opened onClose={close} title={words('title')} size="lg" withCloseButton={false}>
      <Stack>
        <Text size="sm">{words('lead')}</Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {(['goal', 'minimum'] as const).map((field) => (
            <NumberInput
              key={field}
              label={words(field)}
              min={1}
              allowDecimal={false}
              value={spec[field]}
              error={problem(field)}
              onChange={(value) => {
                setSpec({ ...spec, [field]: number(value) });
              }}
            />
          ))}
          <TextInput
            label={words('steps')}
            value={steps}
            error={problem('steps')}
            onChange={({ currentTarget: { value } }) => {
              setSteps(value);
            }}
          />
          <TextInput
            label={words('shares')}
            value={shares}
            error={problem('supportShares')}
            onChange={({ currentTarget: { value } }) => {
              setShares(value);
            }}
          />
          <NumberInput
            label={words('rate')}
            disabled={spec.rate === 'learned'}
            value={spec.rate === 'learned' ? '' : spec.rate}
            error={problem('rate')}
            onChange={(value) => {
              setSpec({ ...spec, rate: number(value) });
            }}
          />
          <TextInput
            label={words('select')}
            placeholder="split=held-out"
            value={select}
            error={problem('select')}
            onChange={({ currentTarget: { value } }) => {
              setSelect(value);
            }}
          />
        </SimpleGrid>
        {task.plan.learning.algorithm === 'meta-sgd' && (
          <Checkbox
            label={words('learned')}
            checked={spec.rate === 'learned'}
            onChange={({ currentTarget: { checked } }) => {
              setSpec({ ...spec, rate: checked ? 'learned' : 0.05 });
            }}
          />
        )}
        <DialogFoot refused={refused} close={close}>
          <Button onClick={submit} loading={ask.isPending}>
            {words('submit')}
          </Button>
        </DialogFoot>
      </Stack>
    </Modal>
  );
}
