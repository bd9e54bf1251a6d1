import { Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useNow } from '../../components/time.tsx';
import { clockOf } from './clock.ts';

/** Time left until a window closes, second by second. */
export function Countdown({ remainingMs, heardAt }: { remainingMs: number; heardAt: number }) {
  const words = useTranslations('rounds.lanes');
  const left = Math.max(0, remainingMs - Math.max(0, useNow(1000) - heardAt));
  return (
    <Text span inherit fw={600} role="timer">
      {words('left', { time: clockOf(left) })}
    </Text>
  );
}
