import { Alert } from '@mantine/core';
import type { Round, RoundId } from '@starling/protocol';
import { IconHourglass } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';
import { abandonReason } from '../../components/reasons.ts';
import { Ago, useNow } from '../../components/time.tsx';

/** Says that a round waits since those before it failed, why the last did, and when it goes on. */
export function WaitingAlert({
  round: { state, offersFrom },
  previous,
}: {
  round: Pick<Round, 'state' | 'offersFrom'>;
  /** The round before it, where it is known. */
  previous: RoundId | undefined;
}) {
  const words = useTranslations('rounds.waiting');
  const states = useTranslations('states');
  const isWaiting = state === 'selecting' && offersFrom !== null && Date.parse(offersFrom) > useNow(1000);
  const { data } = useRead(
    'getRound',
    { params: { id: previous as RoundId } }, // asked only when it is known
    { enabled: isWaiting && previous !== undefined },
  );
  if (!isWaiting) return null;
  const reason = data?.reason ?? null;
  return (
    <Alert color="yellow" icon={<IconHourglass />} title={words('title')}>
      {words('text')} {reason !== null && words('last', { reason: abandonReason(reason, states) })}{' '}
      {words('goesOn')} <Ago at={offersFrom} />.
    </Alert>
  );
}
