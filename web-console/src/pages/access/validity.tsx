import { Badge } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useNow } from '../../components/time.tsx';

interface Limited {
  readonly revokedAt: string | null;
  readonly expiresAt: string | null;
}

/** Whether a key or token is still taken at the moment `now`, in milliseconds. */
export function validityOf({ revokedAt, expiresAt }: Limited, now: number): 'valid' | 'revoked' | 'expired' {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'valid';
}

const colours = { valid: 'teal', revoked: 'red', expired: 'gray' } as const;

export function Validity({ of }: { of: Limited }) {
  const words = useTranslations('access');
  const validity = validityOf(of, useNow(60_000));
  return (
    <Badge variant="light" color={colours[validity]} tt="none">
      {words(validity)}
    </Badge>
  );
}
