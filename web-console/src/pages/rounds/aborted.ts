import { useTranslations } from 'use-intl';

/** Why a group was aborted, in the language of the page; a reason that has no words stays as it is. */
export function useAbortReason(): (reason: string) => string {
  const words = useTranslations('rounds.abortedBy');
  return (reason) => (words.has(reason as 'cancelled') ? words(reason as 'cancelled') : reason);
}
