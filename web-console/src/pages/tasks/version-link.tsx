import { Anchor } from '@mantine/core';
import type { VersionId } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useRead } from '../../api/calls.tsx';

/** A version by its number, leading to its page. */
export function VersionLink({ id }: { id: VersionId }) {
  const words = useTranslations('task');
  const { data } = useRead('getVersion', { params: { id } });
  return (
    <Anchor component={Link} to={`/versions/${id}`} inherit>
      {data ? words('version', { number: data.number }) : '…'}
    </Anchor>
  );
}
