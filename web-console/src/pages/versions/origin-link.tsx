import { Anchor } from '@mantine/core';
import type { ModelVersion } from '@starling/protocol';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';

/** What made a version: a round of devices (by its name, where that is known), a job in the cloud, or the task's beginning. */
export function OriginLink({
  version: { round, job },
  name,
}: {
  version: Pick<ModelVersion, 'round' | 'job'>;
  name?: string | undefined;
}) {
  const words = useTranslations('models.facts');
  if (job === null && round === null) return words('start');
  return (
    <Anchor component={Link} to={job === null ? `/rounds/${round}` : `/jobs/${job}`} inherit>
      {job === null ? (name ?? words('round')) : words('job')}
    </Anchor>
  );
}
