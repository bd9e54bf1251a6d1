import { ActionIcon, Button, Menu } from '@mantine/core';
import type { Task } from '@starling/protocol';
import type { Operation } from '@starling/protocol/api';
import {
  IconChartDots,
  IconCopy,
  IconDots,
  IconGitCompare,
  IconPlayerPause,
  IconPlayerPlay,
  IconTestPipe,
  IconX,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { useAct } from '../../api/calls.tsx';
import { useMay } from '../../app/session.tsx';
import { EvaluateNow } from './evaluate-now.tsx';
import { SimulateNow } from './simulate-now.tsx';
import { askFirst } from '../../components/question.tsx';

const touched: readonly Operation[] = ['getTask', 'listTasks', 'listRounds', 'getFleet'];

/** What one may do with a task in its state. */
export function TaskActions({ task }: { task: Task }) {
  const words = useTranslations('task.act');
  const may = useMay();
  const [judging, setJudging] = useState(false);
  const [simulating, setSimulating] = useState(false);
  const { id, state } = task;
  const over = state === 'completed' || state === 'cancelled' || state === 'failed';
  return (
    <>
      {may('startTask') && <Moves task={task} />}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={words('menu')}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconGitCompare size={16} />}
            renderRoot={(props) => <Link to="/compare" search={{ tasks: id }} {...props} />}
          >
            {words('compare')}
          </Menu.Item>
          {may('createTask') && (
            <Menu.Item
              leftSection={<IconCopy size={16} />}
              renderRoot={(props) => <Link to="/tasks/new" search={{ from: id }} {...props} />}
            >
              {words('clone')}
            </Menu.Item>
          )}
          {may('evaluateTask') && (
            <Menu.Item
              leftSection={<IconChartDots size={16} />}
              onClick={() => {
                setJudging(true);
              }}
            >
              {words('evaluate')}
            </Menu.Item>
          )}
          {may('createJob') && (
            <Menu.Item
              leftSection={<IconTestPipe size={16} />}
              onClick={() => {
                setSimulating(true);
              }}
            >
              {words('simulate')}
            </Menu.Item>
          )}
          {may('cancelTask') && !over && <Cancel task={task} />}
        </Menu.Dropdown>
      </Menu>
      {simulating && (
        <SimulateNow
          task={task}
          close={() => {
            setSimulating(false);
          }}
        />
      )}
      {judging && (
        <EvaluateNow
          task={task}
          close={() => {
            setJudging(false);
          }}
        />
      )}
    </>
  );
}

function Moves({ task: { id, state } }: { task: Task }) {
  const words = useTranslations('task.act');
  const start = useAct('startTask', { changes: touched });
  const pause = useAct('pauseTask', { changes: touched });
  const resume = useAct('resumeTask', { changes: touched });
  const input = { params: { id } };
  switch (state) {
    case 'draft':
      return (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          loading={start.isPending}
          onClick={() => {
            start.mutate(input);
          }}
        >
          {words('start')}
        </Button>
      );
    case 'running':
      return (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={16} />}
          loading={pause.isPending}
          onClick={() => {
            pause.mutate(input);
          }}
        >
          {words('pause')}
        </Button>
      );
    case 'paused':
      return (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          loading={resume.isPending}
          onClick={() => {
            resume.mutate(input);
          }}
        >
          {words('resume')}
        </Button>
      );
    default:
      return null;
  }
}

function Cancel({ task: { id, name } }: { task: Task }) {
  const words = useTranslations('task');
  const cancel = useAct('cancelTask', { changes: touched });
  return (
    <Menu.Item
      color="red"
      leftSection={<IconX size={16} />}
      onClick={() => {
        askFirst({
          title: words('cancelTitle', { name }),
          text: words('cancelMeaning'),
          confirm: words('act.cancel'),
          act: () => {
            cancel.mutate({ params: { id } });
          },
        });
      }}
    >
      {words('act.cancel')}
    </Menu.Item>
  );
}
