import { Anchor, Badge, Code, Skeleton, Stack, Switch, Table, Text } from '@mantine/core';
import type { Task } from '@starling/protocol';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useRead } from '../../../api/calls.tsx';
import { Explained } from '../../../components/figure.tsx';
import { Nothing } from '../../../components/nothing.tsx';
import { Page, Panel } from '../../../components/page.tsx';
import { sideBySide } from '../../../components/plan/difference.ts';
import { isObject, type Json, type JsonObject } from '../../../components/plan/document.ts';
import { SettingValue } from '../../../components/plan/setting-value.tsx';
import { settings } from '../../../components/plan/settings.ts';
import { Problem } from '../../../components/problem.tsx';
import { ScrollTable } from '../../../components/scroll-table.tsx';
import { LearningCharts } from '../learning/learning-charts.tsx';
import { useRuns, type Run } from '../learning/use-runs.ts';
import { idsOf } from '../search.ts';
import { TaskChoice } from '../task-choice.tsx';
import { CostFigures } from './cost-figures.tsx';
import { TaskHeads } from './task-heads.tsx';

const route = getRouteApi('/compare');
const most = 4;

/** Tasks side by side: curves over each other, figures, and plans with what differs marked. */
export function Compare() {
  const words = useTranslations('task.compare');
  const all = useTranslations('tasks');
  const { tasks = '' } = route.useSearch();
  const navigate = route.useNavigate();
  const ids = useMemo(() => idsOf(tasks).slice(0, most), [tasks]);
  const { runs, error, loading } = useRuns(ids);
  return (
    <Page
      title={words('title')}
      lead={words('lead')}
      trail={[
        <Anchor key="tasks" component={Link} to="/tasks" inherit>
          {all('title')}
        </Anchor>,
      ]}
    >
      <TaskChoice
        label={words('choose')}
        placeholder={words('chooseHint')}
        most={most}
        chosen={ids}
        choose={(chosen) => {
          void navigate({ search: chosen.length > 0 ? { tasks: chosen.join(',') } : {}, replace: true });
        }}
      />
      {error ? (
        <Problem error={error} />
      ) : ids.length < 2 ? (
        <Nothing title={words('empty')}>{words('emptyHint')}</Nothing>
      ) : loading ? (
        <Skeleton h={400} aria-busy />
      ) : (
        <>
          <CostFigures runs={runs} />
          <LearningCharts runs={runs} />
          <Plans runs={runs} />
        </>
      )}
    </Page>
  );
}

function Plans({ runs }: { runs: readonly Run[] }) {
  const words = useTranslations('task.compare');
  const [differences, setDifferences] = useState(true);
  const rows = useMemo(
    () => sideBySide(runs.map(({ task }) => foldedPlan(task.plan as JsonObject))), // a plan is JSON
    [runs],
  );
  const shown = differences ? rows.filter(({ same }) => !same) : rows;
  return (
    <Panel
      title={words('plans')}
      aside={
        <Switch
          label={words('differences')}
          checked={differences}
          onChange={({ currentTarget: { checked } }) => {
            setDifferences(checked);
          }}
        />
      }
    >
      <ScrollTable name={words('plans')} verticalSpacing={6} miw={420}>
        <TaskHeads first={words('setting')} runs={runs} />
        <Table.Tbody>
          <ModelRow runs={runs} hideSame={differences} />
          {shown.map(({ path, values, same }) => (
            <Row key={path} path={path} values={values} marked={!same && !differences} />
          ))}
        </Table.Tbody>
      </ScrollTable>
      {shown.length === 0 && <Text c="dimmed">{words('equal')}</Text>}
    </Panel>
  );
}

/** A plan whose settings are single values: labels and schedules are read as one. */
function foldedPlan(plan: JsonObject): JsonObject {
  const fold = (json: Json, path: string): Json => {
    const setting = settings.find((each) => each.path === path);
    if (!isObject(json)) return json;
    if (setting) return [json];
    return Object.fromEntries(
      Object.entries(json).map(([name, value]) => [
        name,
        fold(value, path === '' ? name : `${path}.${name}`),
      ]),
    );
  };
  return fold(plan, '') as JsonObject; // an object folds to an object: no setting is the whole plan
}

function Row({
  path,
  values,
  marked,
}: {
  path: string;
  values: readonly (Json | undefined)[];
  /** As one that differs, among others. */
  marked: boolean;
}) {
  const words = useTranslations();
  const setting = settings.find((each) => each.path === path);
  return (
    <Table.Tr {...(marked && { bg: 'var(--mantine-color-yellow-light)' })}>
      <Table.Th scope="row" fw={400}>
        {setting ? (
          <>
            <Text size="xs" c="dimmed">
              {words(`plan.section.${setting.section}`)}
            </Text>
            <Text size="sm">
              <Explained meaning={words(`plan.hint.${setting.word}`)} from="getTask">
                {words(`plan.name.${setting.word}`)}
              </Explained>
            </Text>
          </>
        ) : (
          <Text size="sm" ff="monospace">
            <Explained meaning={words('plan.meaning')} from="getTask">
              {path}
            </Explained>
          </Text>
        )}
        {marked && (
          <Badge size="xs" variant="default" tt="none">
            {words('task.compare.differs')}
          </Badge>
        )}
      </Table.Th>
      {values.map((value, index) => (
        <Table.Td key={index} fw={marked ? 650 : 400}>
          <SettingValue
            setting={setting}
            value={Array.isArray(value) && isObject(value[0] as Json) ? (value[0] as Json) : value}
          />
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

function ModelRow({ runs, hideSame }: { runs: readonly Run[]; hideSame: boolean }) {
  const words = useTranslations('task.compare');
  const same = runs.every(({ task }) => task.model === runs[0]?.task.model);
  if (same && hideSame) return null;
  return (
    <Table.Tr {...(!same && !hideSame && { bg: 'var(--mantine-color-yellow-light)' })}>
      <Table.Th scope="row" fw={400}>
        <Text size="sm">{words('model')}</Text>
      </Table.Th>
      {runs.map(({ task }) => (
        <Table.Td key={task.id}>
          <ModelName task={task} />
        </Table.Td>
      ))}
    </Table.Tr>
  );
}

function ModelName({ task }: { task: Task }) {
  const { data } = useRead('getModel', { params: { digest: task.model } });
  return (
    <Stack gap={0}>
      <Text size="sm">{data?.name}</Text>
      <Code bg="transparent" p={0} c="dimmed">
        {task.model.slice(0, 12)}
      </Code>
    </Stack>
  );
}
