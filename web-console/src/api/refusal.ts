import { ProblemError } from '@starling/protocol';
import { useTranslations } from 'use-intl';
import { isOffline, knownCodes, messageOf } from './problems.ts';

/** What went wrong: in the language of the page as far as it has words for it, and in those of the server. */
export interface Refusal {
  readonly title: string;
  /** The server's own words, in English; absent where `title` is all there is to say. */
  readonly detail?: string;
}

/** Says of an error what went wrong. */
export function useRefusal(): (error: Error) => Refusal {
  const words = useTranslations('shell.problem');
  return (error) => {
    if (isOffline(error)) return { title: words('offline') };
    const known = error instanceof ProblemError && knownCodes.find((code) => code === error.code);
    return known
      ? { title: words(`because.${known}`), detail: messageOf(error) }
      : { title: words('title'), detail: messageOf(error) };
  };
}
