import { Alert, Anchor, List, Loader } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { isAtSetting, type PlacedProblem } from '../../../components/plan/problems.ts';
import { settings } from '../../../components/plan/settings.ts';
import { fieldId } from './setting-field.tsx';

/** Whether the task can be created; else everything that is wrong, each leading to its field. */
export function CheckPanel({
  problems,
  begun,
}: {
  /** None while the server was not asked yet. */
  problems: readonly PlacedProblem[] | undefined;
  /** Whether there is a model yet. */
  begun: boolean;
}) {
  const words = useTranslations('create');
  const names = useTranslations('plan.name');
  const sections = useTranslations('plan.section');
  return (
    <div role="status">
      {problems === undefined ? (
        <Alert color="gray" icon={<Loader size={16} />}>
          {words('checking')}
        </Alert>
      ) : problems.length === 0 && !begun ? (
        <Alert color="gray" icon={<IconInfoCircle />}>
          {words('begin')}
        </Alert>
      ) : problems.length === 0 ? (
        <Alert color="teal" icon={<IconCircleCheck />} title={words('valid')} />
      ) : (
        <Alert color="red" icon={<IconAlertTriangle />} title={words('problems', { count: problems.length })}>
          {words('problemsHint')}
          <List size="sm" mt="xs">
            {problems.map((problem) => {
              const setting = settings.find(({ path }) => isAtSetting(problem, path));
              const where = setting
                ? `${sections(setting.section)}: ${names(setting.word)}`
                : problem.pointer.slice(1).replaceAll('/', '.') || words('whole');
              return (
                <List.Item key={problem.pointer + problem.message}>
                  {setting ? (
                    <Anchor
                      component="button"
                      type="button"
                      ta="left"
                      inherit
                      onClick={() => document.getElementById(fieldId(setting.path))?.focus()}
                    >
                      {where}
                    </Anchor>
                  ) : (
                    where
                  )}
                  {': '}
                  {problem.message}
                </List.Item>
              );
            })}
          </List>
        </Alert>
      )}
    </div>
  );
}
