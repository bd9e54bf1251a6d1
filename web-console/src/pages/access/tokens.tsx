import { NumberInput, Textarea } from '@mantine/core';
import type { EnrolmentToken } from '@starling/protocol';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useList } from '../../api/calls.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import type { Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { useQuantities } from '../../components/quantities.ts';
import { Labels } from '../devices/device-facts.tsx';
import { expiryOf, type Days } from './expiry.tsx';
import { labelsIn } from './labels.ts';
import { SecretForm, useTimeColumns } from './secret-form.tsx';
import { SecretList } from './secret-list.tsx';
import { Validity, validityOf } from './validity.tsx';

/** Enrolment tokens: what an app hands in so that its device may enrol. */
export function Tokens() {
  const words = useTranslations('access');
  const [secret, setSecret] = useState<string>();
  return (
    <SecretList
      name={words('tab.tokens')}
      create={words('tokens.create')}
      list={useList('listEnrolmentTokens', {})}
      columns={useColumns()}
      empty={<Nothing title={words('tokens.empty')}>{words('tokens.emptyHint')}</Nothing>}
      form={(made) => <NewToken made={made} />}
      secret={secret}
      show={setSecret}
    />
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
      about: { meaning: words('tokens.usesMeaning'), from: 'listEnrolmentTokens' },
      right: true,
      cell: ({ uses, maxUses }) =>
        maxUses === null ? count(uses) : words('tokens.usesOf', { uses, most: maxUses }),
    },
    ...useTimeColumns<EnrolmentToken>(),
    { head: '', right: true, cell: (token) => <Revoke token={token} /> },
  ];
}

function Revoke({ token }: { token: EnrolmentToken }) {
  const words = useTranslations('access.tokens');
  const revoke = useAct('revokeEnrolmentToken', { changes: ['listEnrolmentTokens'] });
  if (validityOf(token, Date.now()) !== 'valid') return null;
  return (
    <ConfirmButton
      name={words('revoke')}
      title={words('revokeTitle')}
      text={words('revokeText')}
      pending={revoke.isPending}
      act={() => {
        revoke.mutate({ params: { id: token.id } });
      }}
    />
  );
}

function NewToken({ made }: { made: (secret: string) => void }) {
  const words = useTranslations('access');
  const [text, setText] = useState('');
  const [days, setDays] = useState<Days>('');
  const [most, setMost] = useState<number | string>('');
  const create = useAct('createEnrolmentToken', { changes: ['listEnrolmentTokens'] });
  const labels = labelsIn(text);
  return (
    <SecretForm
      name={words('tokens.create')}
      ready={labels !== undefined}
      pending={create.isPending}
      days={days}
      changeDays={setDays}
      make={() => {
        create.mutate(
          {
            body: {
              ...(labels && { labels }),
              ...(typeof most === 'number' && { maxUses: most }),
              ...expiryOf(days),
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
    </SecretForm>
  );
}
