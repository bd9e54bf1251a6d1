import { Button, Group, Modal, NumberInput, Stack, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { EnrolmentToken } from '@starling/protocol';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useList } from '../../api/calls.tsx';
import { useConfirm } from '../../components/confirm.tsx';
import { ItemList, Nothing, type Column } from '../../components/item-list.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Ago } from '../../components/time.tsx';
import { Labels } from '../devices/device-facts.tsx';
import { labelsIn } from './labels.ts';
import { ShownOnce } from './shown-once.tsx';
import { Validity, validityOf } from './validity.tsx';

const dayMs = 86_400_000;

/** Enrolment tokens: what an app hands in so that its device may enrol. */
export function Tokens() {
  const words = useTranslations('access');
  const [opened, { open, close }] = useDisclosure(false);
  const [secret, setSecret] = useState<string>();
  const list = useList('listEnrolmentTokens', {});
  return (
    <Stack>
      <Group justify="flex-end">
        <Button onClick={open}>{words('tokens.create')}</Button>
      </Group>
      <ItemList
        name={words('tab.tokens')}
        list={list}
        columns={useColumns()}
        keyOf={({ id }) => id}
        empty={<Nothing title={words('tokens.empty')}>{words('tokens.emptyHint')}</Nothing>}
      />
      <Modal opened={opened} onClose={close} title={words('tokens.create')} centered>
        <NewToken
          made={(made) => {
            close();
            setSecret(made);
          }}
        />
      </Modal>
      <ShownOnce
        secret={secret}
        close={() => {
          setSecret(undefined);
        }}
      />
    </Stack>
  );
}

function useColumns(): Column<EnrolmentToken>[] {
  const words = useTranslations('access');
  const { count } = useQuantities();
  return [
    { head: words('tokens.labels'), cell: ({ labels }) => <Labels labels={labels} /> },
    { head: words('state'), cell: (token) => <Validity of={token} /> },
    {
      head: words('tokens.uses'),
      right: true,
      cell: ({ uses, maxUses }) =>
        maxUses === null ? count(uses) : words('tokens.usesOf', { uses, most: maxUses }),
    },
    {
      head: words('expires'),
      wide: true,
      cell: ({ expiresAt }) => (expiresAt === null ? words('never') : <Ago at={expiresAt} />),
    },
    { head: words('created'), wide: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
    { head: '', right: true, cell: (token) => <Revoke token={token} /> },
  ];
}

function Revoke({ token }: { token: EnrolmentToken }) {
  const words = useTranslations('access.tokens');
  const confirm = useConfirm();
  const revoke = useAct('revokeEnrolmentToken', { changes: ['listEnrolmentTokens'] });
  if (validityOf(token, Date.now()) !== 'valid') return null;
  return (
    <Button
      size="compact-sm"
      variant="subtle"
      color="red"
      onClick={() => {
        confirm({
          title: words('revokeTitle'),
          text: words('revokeText'),
          confirm: words('revoke'),
          act: () => {
            revoke.mutate({ params: { id: token.id } });
          },
        });
      }}
    >
      {words('revoke')}
    </Button>
  );
}

function NewToken({ made }: { made: (secret: string) => void }) {
  const words = useTranslations('access');
  const [text, setText] = useState('');
  const [days, setDays] = useState<number | string>('');
  const [most, setMost] = useState<number | string>('');
  const create = useAct('createEnrolmentToken', { changes: ['listEnrolmentTokens'] });
  const labels = labelsIn(text);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (!labels) return;
        create.mutate(
          {
            body: {
              labels,
              ...(typeof most === 'number' && { maxUses: most }),
              ...(typeof days === 'number' && { expiresInMs: days * dayMs }),
            },
          },
          {
            onSuccess: ({ token }) => {
              made(token);
            },
          },
        );
      }}
    >
      <Stack>
        <Textarea
          label={words('tokens.labels')}
          description={words('tokens.labelsHint')}
          autosize
          minRows={2}
          value={text}
          error={labels ? undefined : words('tokens.labelsWrong')}
          onChange={({ currentTarget: { value } }) => {
            setText(value);
          }}
        />
        <NumberInput
          label={words('tokens.maxUses')}
          description={words('tokens.maxUsesHint')}
          min={1}
          allowDecimal={false}
          value={most}
          onChange={setMost}
        />
        <NumberInput
          label={words('days')}
          description={words('daysHint')}
          min={1}
          max={1825}
          allowDecimal={false}
          value={days}
          onChange={setDays}
        />
        <Button type="submit" loading={create.isPending} disabled={!labels}>
          {words('tokens.create')}
        </Button>
      </Stack>
    </form>
  );
}
