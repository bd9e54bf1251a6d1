import { Button, Modal, Stack, Text, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ModelVersion, Task } from '@starling/protocol';
import { IconArrowBackUp, IconBroadcast } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { DialogFoot } from '../../components/dialog-foot.tsx';

const changes = ['getTask', 'listTasks', 'listReleases'] as const;

/** Serves a version to devices from now on, with a note for those who come after. */
export function PromoteButton({ version, task }: { version: ModelVersion; task: Task }) {
  const words = useTranslations('models.release');
  const may = useMay();
  const [opened, { open, close }] = useDisclosure(false);
  const promote = useAct('promoteVersion', { changes });
  if (!may('promoteVersion')) return null;
  return (
    <>
      <Button leftSection={<IconBroadcast size={16} />} onClick={open}>
        {words('promote')}
      </Button>
      <WithNote
        title={words('promoteTitle', { number: version.number })}
        meaning={words('promoteMeaning', { task: task.name })}
        confirm={words('promote')}
        opened={opened}
        close={close}
        pending={promote.isPending}
        proceed={(note) => {
          promote.mutate({ params: { id: version.id }, body: { note } }, { onSuccess: close });
        }}
      />
    </>
  );
}

/** Serves what was promoted before, `number` if that is known. */
export function RollBackButton({ task, number }: { task: Task; number: number }) {
  const words = useTranslations('models.release');
  const may = useMay();
  const [opened, { open, close }] = useDisclosure(false);
  const rollBack = useAct('rollBackTask', { changes });
  if (!may('rollBackTask')) return null;
  return (
    <>
      <Button variant="default" size="xs" leftSection={<IconArrowBackUp size={14} />} onClick={open}>
        {words('rollBack', { number })}
      </Button>
      <WithNote
        title={words('rollBackTitle', { number })}
        meaning={words('rollBackMeaning', { task: task.name })}
        confirm={words('rollBack', { number })}
        opened={opened}
        close={close}
        pending={rollBack.isPending}
        proceed={(note) => {
          rollBack.mutate({ params: { id: task.id }, body: { note } }, { onSuccess: close });
        }}
      />
    </>
  );
}

function WithNote({
  title,
  meaning,
  confirm,
  opened,
  close,
  pending,
  proceed,
}: {
  title: string;
  meaning: string;
  confirm: string;
  opened: boolean;
  close: () => void;
  pending: boolean;
  proceed: (note: string) => void;
}) {
  const words = useTranslations('models.release');
  const shell = useTranslations('shell.act');
  const [note, setNote] = useState('');
  return (
    <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': shell('cancel') }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          proceed(note.trim());
        }}
      >
        <Stack>
          <Text size="sm">{meaning}</Text>
          <Textarea
            label={words('note')}
            description={words('noteHint')}
            maxLength={500}
            autosize
            minRows={2}
            value={note}
            data-autofocus
            onChange={(event) => {
              setNote(event.currentTarget.value);
            }}
          />
          <DialogFoot close={close}>
            <Button type="submit" loading={pending}>
              {confirm}
            </Button>
          </DialogFoot>
        </Stack>
      </form>
    </Modal>
  );
}
