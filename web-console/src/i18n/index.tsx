import { IntlProvider } from 'use-intl';
import { useEffect, useState, type ReactNode } from 'react';
import type { English } from './en/index.ts';

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

/** Words that are there from the start. */
type First = Words<typeof import('./en/index.ts').en>;
const sources: Record<Locale, () => Promise<First>> = {
  en: () => import('./en/index.ts').then(({ en }) => en),
  zh: () => import('./zh/index.ts').then(({ zh }) => zh),
};

/** Hands down the words of a language, once they are there; until then those of the one before. */
export function Language({ locale, children }: { locale: Locale; children: ReactNode }) {
  const [words, setWords] = useState<{ locale: Locale; messages: First }>();
  useEffect(() => {
    let over = false;
    void sources[locale]().then((messages) => {
      if (over) return;
      document.documentElement.lang = locale;
      setWords({ locale, messages });
    });
    return () => {
      over = true;
    };
  }, [locale]);
  if (!words) return null;
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
