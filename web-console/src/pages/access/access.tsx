import { Tabs } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useMay } from '../../app/session.tsx';
import { Page } from '../../components/page.tsx';
import { NotAllowed } from '../../components/problem.tsx';
import { TabList } from '../../components/tab-list.tsx';
import { Keys } from './keys.tsx';
import { Members } from './members.tsx';
import { accessParts, type AccessPart } from './search.ts';
import { Tokens } from './tokens.tsx';

const parts = { keys: Keys, tokens: Tokens, members: Members } as const satisfies Record<AccessPart, unknown>;
const names = accessParts;

const route = getRouteApi('/access');

/** Who and what may come in: keys, enrolment tokens, members. */
export function Access() {
  const words = useTranslations('access');
  const may = useMay();
  const { tab: part = 'keys' } = route.useSearch();
  const navigate = route.useNavigate();
  if (!may('listKeys')) return <NotAllowed needs="listKeys" />;
  return (
    <Page title={words('title')} lead={words('lead')}>
      <Tabs
        value={part}
        keepMounted={false}
        onChange={(chosen) => {
          void navigate({ search: { tab: names.find((name) => name === chosen) }, replace: true });
        }}
      >
        <TabList tabs={names} chosen={part} named={(name) => words(`tab.${name}`)} label={words('title')} />
        {names.map((name) => {
          const Part = parts[name];
          return (
            <Tabs.Panel key={name} value={name} pt="md">
              <Part />
            </Tabs.Panel>
          );
        })}
      </Tabs>
    </Page>
  );
}
