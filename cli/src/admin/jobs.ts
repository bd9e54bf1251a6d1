import type { CloudWork, JobId, TaskId, VersionId } from '@starling/protocol';
import type { Command } from 'commander';
import { addAction, addCall, pageOf, pageOptions, pageQuery } from './command.ts';
import { readJson } from './files.ts';
import { record } from './output.ts';

const idOfJob = ([id]: string[]) => ({ params: { id: id as JobId } });
const columns = [
  'id',
  'taskId',
  'state',
  'work.kind',
  'work.framework',
  'backend',
  'attempts',
  'message',
  'createdAt',
];

/** `starling jobs`: training in the cloud. */
export function addJobCommands(program: Command): void {
  const jobs = program.command('jobs').description('training in the cloud');
  addCall(jobs, {
    usage: 'list',
    operation: 'listJobs',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(columns),
  });
  addCall(jobs, {
    usage: 'of <task>',
    operation: 'listTaskJobs',
    options: pageOptions,
    input: ([id], options) => ({ params: { id: id as TaskId }, query: pageQuery(options) }),
    show: pageOf(columns),
  });
  addCall(jobs, {
    usage: 'create <task> <file>',
    operation: 'createJob',
    options: [['--version <id>', 'which version (default: the current one)']],
    input: async ([id, file = ''], { version }) => ({
      params: { id: id as TaskId },
      body: {
        work: await readJson<CloudWork>(file),
        ...(version !== undefined && { version: version as VersionId }),
      },
    }),
    show: ({ id, state, backend }) => record({ id, state, backend }),
  });
  addCall(jobs, { usage: 'show <id>', operation: 'getJob', input: idOfJob });
  addCall(jobs, { usage: 'cancel <id>', operation: 'cancelJob', input: idOfJob });
  addAction(
    jobs.command('log <id>').description('Follow what a job writes, until it has ended'),
    async (client, args) => {
      let from = 0;
      for (;;) {
        const { endedAt } = await client.call('getJob', idOfJob(args));
        const { text, next } = await client.call('getJobLog', { ...idOfJob(args), query: { from } });
        process.stdout.write(text);
        if (endedAt !== null) return;
        from = next;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    },
  );
}
