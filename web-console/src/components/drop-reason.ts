import { dropReasons, type DropReason } from '@starling/protocol';
import type { useTranslations } from 'use-intl';

/** Why an assignment was dropped, `reason` or `reason: what the device said`, in the language of the page. */
export function dropReason(reason: string, words: ReturnType<typeof useTranslations<'states'>>): string {
  const [code = '', ...said] = reason.split(':');
  const known = dropReasons.find((each): each is DropReason => each === code);
  if (known === undefined) return reason;
  return [words(`dropped.${known}`), ...said].join(':');
}
