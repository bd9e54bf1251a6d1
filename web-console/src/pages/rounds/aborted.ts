import { useMessages, useTranslations } from 'use-intl';

/** Why a group was aborted, in the language of the page; a reason that has no words stays as it is. */
export function useAbortReason(): (reason: string) => string {
  const words = useTranslations('rounds.abortedBy');
  const known = useMessages().rounds.abortedBy;
  return (reason) => (Object.hasOwn(known, reason) ? words(reason as 'cancelled') : reason);
}
