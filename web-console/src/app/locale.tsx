import { createContext, use } from 'react';
import type { Locale } from '../i18n/index.tsx';

interface LocaleChoice {
  locale: Locale;
  choose: (locale: Locale) => void;
}

const Choice = createContext<LocaleChoice | null>(null);
export const LocaleProvider = Choice.Provider;

export function useLocaleChoice(): LocaleChoice {
  const choice = use(Choice);
  if (!choice) throw new TypeError('The language was asked for outside of the app.');
  return choice;
}
