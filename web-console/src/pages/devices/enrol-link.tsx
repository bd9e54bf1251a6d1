import { Button } from '@mantine/core';
import { IconKey } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useMay } from '../../app/session.tsx';

/** Leads to where an enrolment token is made, for those who may make one. */
export function EnrolLink() {
  const words = useTranslations('fleet');
  const may = useMay();
  return (
    may('createEnrolmentToken') && (
      <Button
        renderRoot={(props) => <Link to="/access" search={{ tab: 'tokens' }} {...props} />}
        leftSection={<IconKey size={16} />}
      >
        {words('enrol')}
      </Button>
    )
  );
}
