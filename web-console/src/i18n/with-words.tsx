import { Skeleton } from '@mantine/core';
import { Suspense, use, type ComponentType, type ReactNode } from 'react';
import { IntlProvider, useLocale, useMessages, useTimeZone } from 'use-intl';
import type { English } from './en/index.ts';

type Later = typeof import('./en/later.ts').later;
let english: Promise<Later> | undefined;

/** A page that says words which are not there from the start: it is shown when they are. */
export function withWords<P extends object>(Page: ComponentType<P>): ComponentType<P> {
  return function PageWithWords(props: P) {
    return (
      <Suspense fallback={<Skeleton h={320} aria-busy />}>
        <MoreWords>
          <Page {...props} />
        </MoreWords>
      </Suspense>
    );
  };
}

function MoreWords({ children }: { children: ReactNode }) {
  const locale = useLocale();
  const timeZone = useTimeZone();
  const given = useMessages();
  // other languages come whole
  const messages: English = locale === 'en' ? { ...given, ...use(laterEnglish()) } : given;
  return (
    <IntlProvider locale={locale} messages={messages} {...(timeZone !== undefined && { timeZone })}>
      {children}
    </IntlProvider>
  );
}

function laterEnglish(): Promise<Later> {
  english ??= import('./en/later.ts').then(({ later }) => later);
  return english;
}
