import { Suspense, use, type ComponentType, type ReactNode } from 'react';
import { IntlProvider, useLocale, useMessages, useTimeZone } from 'use-intl';
import { PageLoading } from '../components/page-loading.tsx';
import type { English } from './en/index.ts';
import type { Locale, Words } from './index.tsx';

type Later = Words<typeof import('./en/later.ts').later>;
const sources: Record<Locale, () => Promise<Later>> = {
  en: () => import('./en/later.ts').then(({ later }) => later),
  zh: () => import('./zh/later.ts').then(({ later }) => later),
};
const loaded = new Map<Locale, Promise<Later>>();

/** A page that says words which are not there from the start: it is shown when they are. */
export function withWords<P extends object>(Page: ComponentType<P>): ComponentType<P> {
  return function PageWithWords(props: P) {
    return (
      <Suspense fallback={<PageLoading />}>
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
  const messages = { ...given, ...use(laterWords(locale)) } as English; // the same keys, in words of the language
  return (
    <IntlProvider locale={locale} messages={messages} {...(timeZone !== undefined && { timeZone })}>
      {children}
    </IntlProvider>
  );
}

function laterWords(locale: Locale): Promise<Later> {
  let words = loaded.get(locale);
  if (!words) loaded.set(locale, (words = sources[locale]()));
  return words;
}
