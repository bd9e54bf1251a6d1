import { abandonReasons, dropReasons, type AbandonReason, type DropReason } from '@starling/protocol';
import type { useTranslations } from 'use-intl';

/** Why an assignment was dropped, `reason` or `reason: what the device said`, in the language of the page. */
export function dropReason(reason: string, words: ReturnType<typeof useTranslations<'states'>>): string {
  const [code = '', ...said] = reason.split(':');
  const known = dropReasons.find((each): each is DropReason => each === code);
  if (known === undefined) return reason;
  return [words(`dropped.${known}`), ...said].join(':');
}

/** Why a round was abandoned, in the language of the page; what is no such reason stays as it is. */
export function abandonReason(reason: string, words: ReturnType<typeof useTranslations<'states'>>): string {
  const known = abandonReasons.find((each): each is AbandonReason => each === reason);
  return known === undefined ? reason : words(`abandoned.${known}`);
}
