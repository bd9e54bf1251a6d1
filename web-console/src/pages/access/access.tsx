import { Tabs } from '@mantine/core';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { Page } from '../../components/page.tsx';
import { Keys } from './keys.tsx';
import { Members } from './members.tsx';
import { Tokens } from './tokens.tsx';

const parts = { keys: Keys, tokens: Tokens, members: Members } as const;
type Part = keyof typeof parts;
const names = Object.keys(parts) as Part[];

/** Who and what may come in: keys, enrolment tokens, members. */
export function Access() {
  const words = useTranslations('access');
  const [part, setPart] = useState<Part>('keys');
  return (
    <Page title={words('title')} lead={words('lead')}>
      <Tabs
        value={part}
        keepMounted={false}
        onChange={(chosen) => {
          setPart(names.find((name) => name === chosen) ?? 'keys');
        }}
      >
        <Tabs.List mb="md">
          {names.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {words(`tab.${name}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {names.map((name) => {
          const Part = parts[name];
          return (
            <Tabs.Panel key={name} value={name}>
              <Part />
            </Tabs.Panel>
          );
        })}
      </Tabs>
    </Page>
  );
}
