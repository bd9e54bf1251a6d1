import { useMessages, useTranslations } from 'use-intl';
import { dropReason } from '../../components/reasons.ts';

/** The condition that a device says was not met, of a reason `declined: …`; `undefined` for another reason. */
export function unmetIn(reason: string): string | undefined {
  return /^declined: (?:ineligible:)?(\S+)$/.exec(reason)?.[1];
}

/** Why an assignment of a device was dropped; of one that it declined, with the condition that was not met in words. */
export function useDropReason(): (reason: string) => string {
  const states = useTranslations('states');
  const words = useTranslations('devices.declined');
  const known = useMessages().devices.declined;
  return (reason) => {
    const unmet = unmetIn(reason);
    // what a device says is text: only what the SDK says of itself is among the words
    if (unmet === undefined || !Object.hasOwn(known, unmet)) return dropReason(reason, states);
    return `${states('dropped.declined')}: ${words(unmet as 'no-data')}`;
  };
}
