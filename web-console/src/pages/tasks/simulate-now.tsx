import { Button, Modal, NumberInput, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import type { CloudWork, ProblemError, Task } from '@starling/protocol';
import { readyFleets } from '@starling/protocol/api';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct } from '../../api/calls.tsx';
import { DialogFoot } from '../../components/dialog-foot.tsx';
import { useFocusBack } from '../../components/focus-back.ts';

/** Asks for a job that plays the task on virtual devices, which learn from a data set of the server. */
export function SimulateNow({ task, close }: { task: Task; close: () => void }) {
  const words = useTranslations('task.simulate');
  const fleets = useTranslations('create.assumed.fleets');
  const navigate = useNavigate();
  useFocusBack();
  const [data, setData] = useState('');
  const [devices, setDevices] = useState<number | string>('');
  const [fold, setFold] = useState<number | string>(1);
  const [fleet, setFleet] = useState<(typeof readyFleets)[number]>('phones-at-night');
  const [refused, setRefused] = useState<ProblemError>();
  const begin = useAct('createJob', {
    changes: ['listJobs', 'listTaskJobs', 'getFleet'],
    onProblem: setRefused,
  });
  const submit = () => {
    const training = {
      plan: task.plan,
      ...(typeof devices === 'number' && { devices }),
      ...(typeof fold === 'number' && { fold }),
      ...(fleet === 'ideal' && { fleet }),
    };
    const work = { kind: 'simulate', data: data.trim(), training } as unknown as CloudWork; // the server fills in the rest
    begin.mutate(
      { params: { id: task.id }, body: { work } },
      {
        onSuccess: ({ id }) => {
          close();
          void navigate({ to: `/jobs/${id}` });
        },
      },
    );
  };
  return (
    <Modal opened onClose={close} title={words('title')} size="lg" withCloseButton={false}>
      <Stack>
        <Text size="sm">{words('lead')}</Text>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label={words('data')}
            description={words('dataHint')}
            required
            data-autofocus
            value={data}
            onChange={({ currentTarget: { value } }) => {
              setData(value);
            }}
          />
          <NumberInput
            label={words('devices')}
            description={words('devicesHint')}
            min={1}
            max={1_000_000}
            allowDecimal={false}
            value={devices}
            onChange={setDevices}
          />
          <NumberInput
            label={words('fold')}
            description={words('foldHint')}
            min={0}
            allowDecimal={false}
            value={fold}
            onChange={setFold}
          />
          <Select
            label={words('fleet')}
            description={words('fleetHint')}
            allowDeselect={false}
            data={readyFleets.map((value) => ({ value, label: fleets(value) }))}
            value={fleet}
            onChange={(value) => {
              setFleet(readyFleets.find((each) => each === value) ?? fleet);
            }}
          />
        </SimpleGrid>
        <DialogFoot refused={refused} close={close}>
          <Button onClick={submit} loading={begin.isPending} disabled={data.trim() === ''}>
            {words('submit')}
          </Button>
        </DialogFoot>
      </Stack>
    </Modal>
  );
}
