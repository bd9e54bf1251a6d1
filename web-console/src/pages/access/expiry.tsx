import { NumberInput } from '@mantine/core';
import { useTranslations } from 'use-intl';

const dayMs = 86_400_000;

/** Days as the field has them: empty is never. */
export type Days = number | string;

export function expiryOf(days: Days): { expiresInMs?: number } {
  return typeof days === 'number' ? { expiresInMs: days * dayMs } : {};
}

/** After how many days a secret ends. */
export function ExpiryInput({ days, change }: { days: Days; change: (days: Days) => void }) {
  const words = useTranslations('access');
  return (
    <NumberInput
      label={words('days')}
      description={words('daysHint')}
      min={1}
      max={1825}
      allowDecimal={false}
      value={days}
      onChange={change}
    />
  );
}
