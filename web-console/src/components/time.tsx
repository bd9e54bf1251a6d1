import { Text, Tooltip } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { useState } from 'react';
import { useFormatter, useTranslations } from 'use-intl';

/** A moment as time passed, the moment itself on hover; `null` is never. */
export function Ago({ at }: { at: string | null }) {
  const format = useFormatter();
  const words = useTranslations('shell.time');
  const now = useNow(10_000);
  if (at === null)
    return (
      <Text span c="dimmed" inherit>
        {words('never')}
      </Text>
    );
  const when = new Date(at);
  return (
    <Tooltip label={format.dateTime(when, { dateStyle: 'medium', timeStyle: 'medium' })}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>
        {format.relativeTime(when, now)}
      </time>
    </Tooltip>
  );
}

/** The time of this machine, anew every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useInterval(
    () => {
      setNow(Date.now());
    },
    everyMs,
    { autoInvoke: true },
  );
  return now;
}
