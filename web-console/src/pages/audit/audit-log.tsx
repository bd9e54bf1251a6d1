import { Alert, Badge, Button, Code, Stack, Text } from '@mantine/core';
import type { ProblemError } from '@starling/protocol';
import type { AuditEntry, AuditVerification, Endpoints, QueryOf } from '@starling/protocol/api';
import { IconShieldCheck, IconShieldX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { memo } from 'react';
import { useTranslations } from 'use-intl';
import { useClient, useList } from '../../api/calls.tsx';
import { FilterField, Filters, useFilter } from '../../components/filters.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, Nothing, type Column } from '../../components/item-list.tsx';
import { Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Ago } from '../../components/time.tsx';

const names = { action: '', object: '', since: '', until: '' };

/** What was done in the project, by whom, and whether the record of it is whole. */
export function AuditLog() {
  const words = useTranslations('audit');
  const filter = useFilter(names);
  return (
    <Page title={words('title')} lead={words('lead')}>
      <Verification />
      <Filters filter={filter}>
        <FilterField
          filter={filter}
          name="action"
          label={words('action')}
          width={180}
          placeholder="createTask"
        />
        <FilterField
          filter={filter}
          name="object"
          label={words('object')}
          width={220}
          placeholder={words('objectHint')}
        />
        {(['since', 'until'] as const).map((name) => (
          <FilterField
            key={name}
            filter={filter}
            name={name}
            label={words(name)}
            width={210}
            type="datetime-local"
          />
        ))}
      </Filters>
      <Found asked={filter.settled} />
    </Page>
  );
}

/** What fits the filters: it stands while one types, which a long table would slow down. */
const Found = memo(function Found({ asked }: { asked: typeof names }) {
  const words = useTranslations('audit');
  const list = useList('listAudit', { query: queryOf(asked) });
  return (
    <ItemList
      name={words('title')}
      list={list}
      columns={useColumns()}
      keyOf={({ sequence }) => String(sequence)}
      empty={<Nothing title={words('empty')}>{words('emptyHint')}</Nothing>}
    />
  );
});

function Verification() {
  const words = useTranslations('audit');
  const client = useClient();
  const verify = useMutation<AuditVerification, ProblemError>({
    mutationFn: () => client.call('verifyAudit', {}),
  });
  const found = verify.data;
  return (
    <Stack gap="sm" align="flex-start" aria-live="polite">
      <Button
        variant="default"
        loading={verify.isPending}
        onClick={() => {
          verify.mutate();
        }}
      >
        {words('verify')}
      </Button>
      {verify.error && <Problem error={verify.error} />}
      {found &&
        (found.problem === null ? (
          <Alert color="teal" icon={<IconShieldCheck />} title={words('intact', { entries: found.entries })}>
            {words('head', { sequence: found.head.sequence })} <Identity id={found.head.hash} length={64} />
          </Alert>
        ) : (
          <Alert color="red" icon={<IconShieldX />} role="alert">
            {words('broken', { sequence: found.problem.sequence, message: found.problem.message })}
          </Alert>
        ))}
    </Stack>
  );
}

/** Filters as the server takes them: times of the person's clock as instants. */
function queryOf({ action, object, since, until }: typeof names): Partial<QueryOf<Endpoints['listAudit']>> {
  return {
    ...(action !== '' && { action: action.trim() }),
    ...(object !== '' && { object: object.trim() }),
    ...(since !== '' && { since: new Date(since).toISOString() }),
    ...(until !== '' && { until: new Date(until).toISOString() }),
  };
}

function useColumns(): Column<AuditEntry>[] {
  const words = useTranslations('audit');
  return [
    {
      head: words('sequence'),
      about: { meaning: words('sequenceMeaning'), from: 'listAudit' },
      right: true,
      cell: ({ sequence }) => sequence,
    },
    { head: words('at'), cell: ({ at }) => <Ago at={at} /> },
    { head: words('action'), cell: ({ action }) => <Code>{action}</Code> },
    {
      head: words('object'),
      wide: true,
      cell: ({ object, outcome }) => {
        const id = outcome?.object ?? object;
        return id === null ? '' : <Identity id={id} length={16} />;
      },
    },
    {
      head: words('who'),
      wide: true,
      cell: ({ keyId, personId }) => <Identity id={keyId ?? personId ?? ''} length={12} />,
    },
    {
      head: words('outcome'),
      about: { meaning: words('outcomeMeaning'), from: 'listAudit' },
      cell: ({ outcome }) => <Outcome status={outcome?.status} />,
    },
    {
      head: words('from'),
      about: { meaning: words('fromMeaning'), from: 'listAudit' },
      wide: true,
      cell: ({ from }) => <Text size="sm">{from}</Text>,
    },
  ];
}

function Outcome({ status }: { status: number | undefined }) {
  const words = useTranslations('audit');
  if (status === undefined) {
    return (
      <Badge variant="light" color="yellow" tt="none">
        {words('pending')}
      </Badge>
    );
  }
  return (
    <Badge variant="light" color={status < 400 ? 'teal' : status < 500 ? 'orange' : 'red'}>
      {status}
    </Badge>
  );
}
