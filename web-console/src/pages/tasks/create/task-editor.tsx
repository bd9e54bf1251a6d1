import { Anchor, Button, Checkbox, Grid, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { TaskRequest, VersionId } from '@starling/protocol';
import type { ForecastRequest } from '@starling/protocol/api';
import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct, useRead } from '../../../api/calls.tsx';
import { Page, Panel } from '../../../components/page.tsx';
import { valueAt, withValue, type JsonObject } from '../../../components/plan/document.ts';
import { problemsBeside, type PlacedProblem } from '../../../components/plan/problems.ts';
import { Problem } from '../../../components/problem.tsx';
import { askFirst } from '../../../components/question.tsx';
import { CheckPanel } from './check-panel.tsx';
import { draftOf, planFor, planIn, withText } from './draft.ts';
import { ForecastPanel } from './forecast-panel.tsx';
import { ModelChoice, type ChosenModel } from './model-choice.tsx';
import { PlanForm } from './plan-form.tsx';

const Editor = lazy(() => import('./task-json.tsx').then((m) => ({ default: m.TaskJson })));

/** After a change, so long is waited before the server is asked what it thinks of it. */
const settleMs = 400;

/** The task that is cloned: the version to begin from, and how long a device of it worked in a round. */
interface CloneSource {
  readonly version: VersionId;
  readonly workMs?: number;
}

/** A task as a form and as JSON, in step, with what the server says of it. */
export function TaskEditor({
  title,
  document,
  model: before,
  source,
}: {
  title: string;
  document: JsonObject;
  model: ChosenModel | undefined;
  source: CloneSource | undefined;
}) {
  const words = useTranslations('create');
  const all = useTranslations('tasks');
  const [draft, setDraft] = useState(() => draftOf(document));
  const [model, setModel] = useState(before);
  const plan = planIn(draft);
  const request = useMemo(() => requestOf(draft.document, model), [draft.document, model]);
  const [settled] = useDebouncedValue(request, settleMs);
  const check = useRead('validateTask', { body: settled });
  const current =
    settled === request && check.error === null && !check.isPlaceholderData && draft.fault === undefined;
  const found = check.data?.problems;
  // who has just begun is not told at once what is still missing
  const problems = (model ? found : found?.filter(({ pointer }) => pointer.startsWith('/plan'))) ?? [];
  const name = valueAt(draft.document, 'name');
  const choose = (chosen: ChosenModel) => {
    setModel(chosen);
    if (!('ir' in chosen)) return;
    const named = withValue(draft.document, 'name', name === '' ? chosen.name : name);
    setDraft(draftOf(withValue(named, 'plan', planFor(chosen.ir))));
  };
  return (
    <Page
      title={title}
      lead={words('lead')}
      trail={[
        <Anchor key="tasks" component={Link} to="/tasks" inherit>
          {all('title')}
        </Anchor>,
      ]}
    >
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="md">
            <Panel title={words('whole')}>
              <TextInput
                label={words('name')}
                placeholder={words('namePlaceholder')}
                value={typeof name === 'string' ? name : ''}
                error={messageAt(problems, '/name')}
                maxLength={128}
                onChange={({ currentTarget: { value } }) => {
                  setDraft(draftOf(withValue(draft.document, 'name', value)));
                }}
              />
              <ModelChoice chosen={model} choose={choose} error={modelProblem(problems)} />
              {source && (
                <Weights
                  version={source.version}
                  used={valueAt(draft.document, 'weights') !== undefined}
                  use={(used) => {
                    setDraft(
                      draftOf(withValue(draft.document, 'weights', used ? source.version : undefined)),
                    );
                  }}
                />
              )}
            </Panel>
            {draft.fault !== undefined && (
              <Text c="var(--mantine-color-error)" role="alert" size="sm">
                {words('jsonBroken', { message: draft.fault })}
              </Text>
            )}
            <fieldset disabled={draft.fault !== undefined} style={{ all: 'unset', display: 'block' }}>
              <PlanForm
                plan={plan}
                problems={problems}
                change={(changed) => {
                  setDraft(draftOf(withValue(draft.document, 'plan', changed)));
                }}
              />
            </fieldset>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Stack gap="md" className="beside">
            {check.error ? (
              <Problem error={check.error} retry={() => void check.refetch()} />
            ) : (
              <CheckPanel problems={found && problems} begun={model !== undefined} />
            )}
            <Create
              document={draft.document}
              model={model}
              ready={current && check.data?.valid === true}
              goal={valueAt(plan, 'cohort.goal')}
            />
            {check.data?.estimate ? (
              <ForecastPanel
                task={taskOf(settled)}
                estimate={check.data.estimate}
                measuredMs={source?.workMs}
              />
            ) : (
              model && !check.data && !check.error && <Skeleton h={540} aria-busy />
            )}
            <Panel title={words('json')}>
              <Suspense fallback={<Skeleton h={320} aria-busy />}>
                <Editor
                  text={draft.text}
                  problems={problems}
                  change={(text) => {
                    setDraft(withText(draft, text));
                  }}
                />
              </Suspense>
              <Text size="xs" c="dimmed">
                {words('jsonHint')}
              </Text>
            </Panel>
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

/** What is sent to be checked: the document with its model, which may not be uploaded yet. */
function requestOf(document: JsonObject, model: ChosenModel | undefined): object {
  if (!model) return document;
  return { ...document, ...('ir' in model ? { ir: model.ir } : { model: model.digest }) };
}

/** Of a request that fits, what its cost depends on. */
function taskOf(request: object): Pick<ForecastRequest, 'model' | 'ir' | 'plan'> {
  const { model, ir, plan } = request as ForecastRequest; // it was checked
  return { plan, ...(model !== undefined && { model }), ...(ir !== undefined && { ir }) };
}

function messageAt(problems: readonly PlacedProblem[], pointer: string): string | undefined {
  const here = problems.filter((problem) => problem.pointer === pointer).map(({ message }) => message);
  return here.length === 0 ? undefined : here.join('; ');
}

/** Problems of the model: at its place, inside its IR, or that there is none. */
function modelProblem(problems: readonly PlacedProblem[]): string | undefined {
  const others = problemsBeside(problems, ['/plan', '/name', '/weights']);
  const here = others.map(({ pointer, message }) =>
    pointer.startsWith('/ir/') ? `${pointer}: ${message}` : message,
  );
  return here.length === 0 ? undefined : here.join('; ');
}

function Weights({
  version,
  used,
  use,
}: {
  version: VersionId;
  used: boolean;
  use: (used: boolean) => void;
}) {
  const words = useTranslations('create');
  const { data } = useRead('getVersion', { params: { id: version } });
  return (
    <Checkbox
      label={words('weights', { version: String(data?.number ?? '') })}
      checked={used}
      onChange={({ currentTarget: { checked } }) => {
        use(checked);
      }}
    />
  );
}

function Create({
  document,
  model,
  ready,
  goal,
}: {
  document: JsonObject;
  model: ChosenModel | undefined;
  ready: boolean;
  goal: unknown;
}) {
  const words = useTranslations('create');
  const navigate = useNavigate();
  const upload = useAct('uploadModel', { changes: ['listModels'] });
  const create = useAct('createTask', { changes: ['listTasks', 'getFleet'] });
  const start = useAct('startTask', { changes: ['listTasks', 'getTask', 'listRounds', 'getFleet'] });
  const busy = upload.isPending || create.isPending || start.isPending;
  const make = async (andStart: boolean) => {
    if (!model) return;
    const digest =
      'digest' in model ? model.digest : (await upload.mutateAsync({ body: model.ir as object })).digest; // it was checked
    const body = { ...document, model: digest } as unknown as TaskRequest; // it was checked
    const { id } = await create.mutateAsync({ body });
    if (andStart) await start.mutateAsync({ params: { id } }).catch(() => undefined); // told by a notification
    await navigate({ to: `/tasks/${id}` });
  };
  const begin = (andStart: boolean) => {
    make(andStart).catch(() => undefined); // a refusal is shown as a notification, and the draft stays
  };
  return (
    <Group gap="sm">
      <Button
        disabled={!ready || busy}
        onClick={() => {
          begin(false);
        }}
        loading={busy}
      >
        {words('submit')}
      </Button>
      <Button
        variant="default"
        disabled={!ready || busy}
        onClick={() => {
          askFirst({
            title: words('startTitle', {
              name: typeof document['name'] === 'string' ? document['name'] : '',
            }),
            text: words('startMeaning', { devices: Number(goal) }),
            confirm: words('submitStart'),
            undoable: true,
            act: () => {
              begin(true);
            },
          });
        }}
      >
        {words('submitStart')}
      </Button>
    </Group>
  );
}
