import { Alert, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { Panel } from '../../../components/page.tsx';
import {
  pointerOf,
  valueAt,
  withValue,
  type Json,
  type JsonObject,
} from '../../../components/plan/document.ts';
import { problemsBeside, problemsOf, type PlacedProblem } from '../../../components/plan/problems.ts';
import {
  algorithms,
  furtherOf,
  optimisers,
  optionalSections,
  sections,
  settingsOf,
  withAlgorithm,
  withOptimiser,
  type SectionName,
  type Setting,
} from '../../../components/plan/settings.ts';
import { SettingField } from './setting-field.tsx';

/** A plan as a form, section by section; every problem stands at its field. */
export function PlanForm({
  plan,
  problems,
  change,
}: {
  plan: JsonObject;
  problems: readonly PlacedProblem[];
  change: (plan: JsonObject) => void;
}) {
  const words = useTranslations('create');
  const further = furtherOf(plan);
  return (
    <Stack gap="md">
      {sections.map((name) => (
        <Section key={name} name={name} plan={plan} problems={problems} change={change} />
      ))}
      {further.length > 0 && (
        <Alert color="gray">{words('further', { paths: further.map(([path]) => path).join(', ') })}</Alert>
      )}
    </Stack>
  );
}

function Section({
  name,
  plan,
  problems,
  change,
}: {
  name: SectionName;
  plan: JsonObject;
  problems: readonly PlacedProblem[];
  change: (plan: JsonObject) => void;
}) {
  const words = useTranslations();
  const title = words(`plan.section.${name}`);
  const beginning = optionalSections[name];
  const on = beginning === undefined || plan[name] !== undefined;
  const shown = on ? settingsOf(plan, name) : [];
  const ofSection =
    name === 'course' ? [] : problems.filter(({ pointer }) => pointer.startsWith(`/plan/${name}`));
  const beside = problemsBeside(
    ofSection,
    shown.map(({ path }) => `/plan${pointerOf(path)}`),
  );
  return (
    <Panel
      title={title}
      aside={
        beginning && (
          <Switch
            aria-label={words('create.enable', { section: title })}
            checked={on}
            onChange={({ currentTarget: { checked } }) => {
              change(withValue(plan, name, checked ? beginning : undefined));
            }}
          />
        )
      }
    >
      <Text size="sm" c="dimmed">
        {words(`plan.about.${name}`)}
      </Text>
      {beside.map(({ pointer, message }) => (
        <Text key={pointer + message} size="sm" c="var(--mantine-color-error)" role="alert">
          {pointer.replace('/plan/', '').replaceAll('/', '.')}: {message}
        </Text>
      ))}
      {shown.length > 0 && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="md" verticalSpacing="sm">
          {shown.map((setting) => (
            <SettingField
              key={setting.path}
              setting={setting}
              value={valueAt(plan, setting.path)}
              error={errorAt(problems, setting.path)}
              change={(value) => {
                change(changed(plan, setting, value));
              }}
            />
          ))}
        </SimpleGrid>
      )}
    </Panel>
  );
}

/** The plan with another value; another algorithm or optimiser brings its own settings along. */
function changed(plan: JsonObject, { path }: Setting, value: Json | undefined): JsonObject {
  const algorithm = path === 'learning.algorithm' && algorithms.find((each) => each === value);
  if (algorithm) return withAlgorithm(plan, algorithm);
  const optimiser = path === 'optimiser.kind' && optimisers.find((each) => each === value);
  return optimiser ? withOptimiser(plan, optimiser) : withValue(plan, path, value);
}

function errorAt(problems: readonly PlacedProblem[], path: string): string | undefined {
  const here = problemsOf(problems, path).map(({ message }) => message);
  return here.length === 0 ? undefined : here.join('; ');
}
