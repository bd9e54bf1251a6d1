import { Alert, Badge, Button, Code, Text } from '@mantine/core';
import type { ProblemError } from '@starling/protocol';
import type { AuditEntry, AuditVerification, Endpoints, QueryOf } from '@starling/protocol/api';
import { IconShieldCheck, IconShieldX } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Fragment, memo } from 'react';
import { useTranslations } from 'use-intl';
import { useClient, useList } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { FilterField, Filters, useFilter } from '../../components/filters.tsx';
import { Identity } from '../../components/identity.tsx';
import { ItemList, type Column } from '../../components/item-list.tsx';
import { Nothing } from '../../components/nothing.tsx';
import { Page } from '../../components/page.tsx';
import { Problem } from '../../components/problem.tsx';
import { Ago } from '../../components/time.tsx';

const names = { action: '', object: '', since: '', until: '' };

/** What was done in the project, by whom, and whether the record of it is whole. */
export function AuditLog() {
  const words = useTranslations('audit');
  const filter = useFilter(names);
  const client = useClient();
  const verify = useMutation<AuditVerification, ProblemError>({
    mutationFn: () => client.call('verifyAudit', {}),
  });
  return (
    <Page
      title={words('title')}
      lead={words('lead')}
      actions={
        <Button
          variant="default"
          loading={verify.isPending}
          onClick={() => {
            verify.mutate();
          }}
        >
          {words('verify')}
        </Button>
      }
    >
      <div aria-live="polite" className="unless-empty">
        {verify.error && <Problem error={verify.error} />}
        {verify.data && <Verified {...verify.data} />}
      </div>
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

function Verified({ problem, entries, head }: AuditVerification) {
  const words = useTranslations('audit');
  if (problem !== null) {
    return (
      <Alert color="red" icon={<IconShieldX />} role="alert">
        {words('broken', { sequence: problem.sequence, message: problem.message })}
      </Alert>
    );
  }
  return (
    <Alert color="teal" icon={<IconShieldCheck />} title={words('intact', { entries })}>
      {words('head', { sequence: head.sequence })} <Identity id={head.hash} length={64} />
    </Alert>
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
      wide: true,
      cell: ({ sequence }) => sequence,
    },
    { head: words('at'), cell: ({ at }) => <Ago at={at} /> },
    { head: words('action'), cell: ({ action }) => <Action name={action} /> },
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
      cell: ({ keyId, personId }) => <Who id={keyId ?? personId} />,
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

/** The name of an operation, which may go to another line before each of its words. */
function Action({ name }: { name: string }) {
  return (
    <Code style={{ whiteSpace: 'normal' }}>
      {name.split(/(?=[A-Z])/).map((word) => (
        <Fragment key={word}>
          <wbr />
          {word}
        </Fragment>
      ))}
    </Code>
  );
}

/** The one who asked: by name, for those who may see who there is. */
function Who({ id }: { id: string | null }) {
  const may = useMay();
  return may('listKeys') && may('listMembers') ? <NamedWho id={id} /> : <Identity id={id ?? ''} />;
}

function NamedWho({ id }: { id: string | null }) {
  const keys = useList('listKeys', {}).items;
  const members = useList('listMembers', {}).items;
  const name =
    keys?.find((key) => key.id === id)?.name ?? members?.find(({ personId }) => personId === id)?.email;
  return name === undefined ? <Identity id={id ?? ''} /> : <Text size="sm">{name}</Text>;
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
    <Badge variant="light" color={status < 400 ? 'teal' : status < 500 ? 'orange' : 'red'} tt="none">
      {words(status < 400 ? 'done' : status < 500 ? 'refused' : 'failed', { status: String(status) })}
    </Badge>
  );
}
