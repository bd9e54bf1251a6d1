import { IntlProvider } from 'use-intl';
import { useEffect, useState, type ReactNode } from 'react';
import { en, type English } from './en/index.ts';

export const locales = { en: 'English', zh: '简体中文' } as const;
export type Locale = keyof typeof locales;
/** The words of the console; every language has all of them. */
export type Words<T> = { [K in keyof T]: T[K] extends string ? string : Words<T[K]> };
export type Messages = Words<English>;

declare module 'use-intl' {
  interface AppConfig {
    Locale: Locale;
    Messages: English;
  }
}

const stored = 'starling-console-language';

/** The language that the person chose here before, or else the browser's. */
export function preferredLocale(): Locale {
  const wanted = localStorage.getItem(stored) ?? navigator.language;
  return wanted.startsWith('zh') ? 'zh' : 'en';
}

export function rememberLocale(locale: Locale): void {
  localStorage.setItem(stored, locale);
}

/** Hands down the words of a language, which come with it: English is always there. */
export function Language({ locale, children }: { locale: Locale; children: ReactNode }) {
  const [words, setWords] = useState<{ locale: Locale; messages: Partial<Messages> }>({
    locale: 'en',
    messages: en,
  });
  useEffect(() => {
    let over = false;
    const show = (messages: Partial<Messages>) => {
      if (over) return;
      document.documentElement.lang = locale;
      setWords({ locale, messages });
    };
    if (locale === 'en') show(en);
    else
      void import('./zh/index.ts').then(({ zh }) => {
        show(zh);
      });
    return () => {
      over = true;
    };
  }, [locale]);
  return (
    <IntlProvider
      locale={words.locale}
      messages={words.messages as English} // the same keys, other words; pages that need more bring them along (with-words.tsx)
      timeZone={Intl.DateTimeFormat().resolvedOptions().timeZone}
    >
      {children}
    </IntlProvider>
  );
}
