import { writeFile } from 'node:fs/promises';
import type {
  EvaluationSpec,
  Plan,
  RoundId,
  TaskId,
  TaskRequest,
  TaskState,
  VersionId,
} from '@starling/protocol';
import type { RoundAnatomy } from '@starling/protocol/api';
import type { Command } from 'commander';
import {
  addAction,
  addCall,
  given,
  milliseconds,
  pageOf,
  pageOptions,
  pageQuery,
  type Options,
} from './command.ts';
import { readJson } from './files.ts';
import { forecastRecord, forecastRequest } from './forecast.ts';
import { record, table } from './output.ts';

const idOfTask = ([id]: string[]) => ({ params: { id: id as TaskId } });
const idOfRound = ([id]: string[]) => ({ params: { id: id as RoundId } });
const idOfVersion = ([id]: string[]) => ({ params: { id: id as VersionId } });
const taskColumns = ['id', 'name', 'state', 'roundsPublished', 'plan.rounds', 'updatedAt'];
const note = [['--note <text>', 'why']] as const;
const noteOf = ({ note: text }: Options) => ({ body: text === undefined ? {} : { note: text } });
const pageOfTask = (args: string[], options: Options) => ({ ...idOfTask(args), query: pageQuery(options) });

/** `starling models | tasks | rounds | versions | events`. */
export function addWorkCommands(program: Command): void {
  addModels(program.command('models').description('model IRs'));
  addTasks(program.command('tasks').description('learning jobs'));
  addRounds(program.command('rounds').description('passes of a task'));
  addVersions(program.command('versions').description('model versions'));
  addAction(
    program
      .command('events')
      .description('follow the live events of the project, a line each, until interrupted')
      .option('--after <id>', 'go on after this event'),
    async (client, _args, options) => {
      const { json, after } = options as typeof options & { after?: string };
      for await (const each of client.events(after)) {
        const what = each.kind === 'gap' ? { gap: each.reason } : each.event;
        console.log(json ? JSON.stringify(each) : `${each.id}  ${JSON.stringify(what)}`);
      }
    },
  );
}

function addModels(models: Command): void {
  addCall(models, {
    usage: 'list',
    operation: 'listModels',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(['digest', 'name', 'parameters', 'inputShape', 'classes']),
  });
  addCall(models, {
    usage: 'upload <file>',
    operation: 'uploadModel',
    input: async ([file = '']) => ({ body: await readJson(file) }),
    show: ({ digest, name, parameters }) => record({ digest, name, parameters }),
  });
  addCall(models, {
    usage: 'show <digest>',
    operation: 'getModel',
    input: ([digest = '']) => ({ params: { digest } }),
  });
  addCall(models, {
    usage: 'tasks <digest>',
    operation: 'listModelTasks',
    options: pageOptions,
    input: ([digest = ''], options) => ({ params: { digest }, query: pageQuery(options) }),
    show: pageOf(taskColumns),
  });
}

function addTasks(tasks: Command): void {
  addCall(tasks, {
    usage: 'list',
    operation: 'listTasks',
    options: [
      ...pageOptions,
      ['--state <state>', 'only of this state, e.g. running'],
      ['--name <text>', 'only with this in the name'],
    ],
    input: (_, { state, ...options }) => ({
      query: {
        ...pageQuery(options),
        ...given(options, ['name']),
        ...(state !== undefined && { state: state as TaskState }), // the server checks it
      },
    }),
    show: pageOf(taskColumns),
  });
  addCall(tasks, { usage: 'show <id>', operation: 'getTask', input: idOfTask });
  addCall(tasks, {
    usage: 'curves <id>',
    operation: 'getCurves',
    input: idOfTask,
    show: ({ points }) =>
      table(points, [
        ...['sequence', 'kind', 'number', 'devices', 'bytesUp'],
        ...['training.lossAfter', 'training.accuracyAfter', 'evaluation'],
      ]),
  });
  addCall(tasks, { usage: 'cost <id>', operation: 'getCost', input: idOfTask });
  addCall(tasks, {
    usage: 'groups <id>',
    operation: 'getGroupHealth',
    input: idOfTask,
    show: ({ rounds }) =>
      table(rounds, ['sequence', 'groups', 'summed', 'aborted', 'smallest', 'largest', 'medianMs']),
  });
  addCall(tasks, {
    usage: 'create <file>',
    operation: 'createTask',
    input: async ([file = '']) => ({ body: await readJson<TaskRequest>(file) }),
    show: ({ id, name, state }) => record({ id, name, state }),
  });
  addCall(tasks, {
    usage: 'validate <file>',
    operation: 'validateTask',
    input: async ([file = '']) => ({ body: await readJson(file) }),
    show: ({ problems, estimate }) =>
      estimate ? record({ valid: true, ...estimate }) : table(problems, ['pointer', 'message']),
    isBad: ({ valid }) => !valid,
  });
  addCall(tasks, {
    usage: 'forecast <file>',
    operation: 'forecastTask',
    options: [
      ['--devices <n>', 'virtual devices (default: as many as the cohort may be chosen from)'],
      ['--rows <n>', 'examples of each'],
      ['--fleet <file>', 'a fleet model (JSON), or "ideal" (default: phones at night)'],
    ],
    input: async ([file = ''], options) => ({ body: await forecastRequest(file, options) }),
    show: forecastRecord,
    isBad: ({ outcome }) => outcome === 'stalled',
  });
  addCall(tasks, {
    usage: 'clone <id>',
    operation: 'cloneTask',
    options: [
      ['--name <name>', 'of the clone'],
      ['--plan <file>', 'another plan'],
      ['--weights <version>', 'a version to start from (default: fresh weights)'],
    ],
    input: async (args, { name, plan, weights }) => ({
      ...idOfTask(args),
      body: {
        ...(name !== undefined && { name }),
        ...(plan !== undefined && { plan: await readJson<Plan>(plan) }),
        ...(weights !== undefined && { weights: weights as VersionId }),
      },
    }),
    show: ({ id, name, state }) => record({ id, name, state }),
  });
  for (const action of ['start', 'pause', 'resume', 'cancel'] as const) {
    addCall(tasks, {
      usage: `${action} <id>`,
      operation: `${action}Task`,
      input: idOfTask,
      show: ({ id, name, state }) => record({ id, name, state }),
    });
  }
  addCall(tasks, {
    usage: 'evaluate <id> <file>',
    operation: 'evaluateTask',
    options: [['--version <id>', 'which version (default: the current one)']],
    input: async ([id, file = ''], { version }) => ({
      params: { id: id as TaskId },
      body: {
        spec: await readJson<EvaluationSpec>(file),
        ...(version !== undefined && { version: version as VersionId }),
      },
    }),
  });
  addCall(tasks, {
    usage: 'rounds <id>',
    operation: 'listRounds',
    options: pageOptions,
    input: pageOfTask,
    show: pageOf([
      'id',
      'sequence',
      'kind',
      'number',
      'state',
      'reason',
      'offersFrom',
      'metrics.devices',
      'metrics.accuracyAfter',
    ]),
  });
  addCall(tasks, {
    usage: 'versions <id>',
    operation: 'listVersions',
    options: pageOptions,
    input: pageOfTask,
    show: pageOf(['id', 'number', 'bytes', 'round', 'createdAt']),
  });
  addCall(tasks, {
    usage: 'releases <id>',
    operation: 'listReleases',
    options: pageOptions,
    input: pageOfTask,
    show: pageOf(['id', 'kind', 'number', 'version', 'replaced', 'by', 'note', 'createdAt']),
  });
  addCall(tasks, {
    usage: 'roll-back <id>',
    operation: 'rollBackTask',
    options: note,
    input: (args, options) => ({ ...idOfTask(args), ...noteOf(options) }),
  });
}

function addRounds(rounds: Command): void {
  addCall(rounds, { usage: 'show <id>', operation: 'getRound', input: idOfRound });
  addCall(rounds, { usage: 'anatomy <id>', operation: 'getAnatomy', input: idOfRound, show: anatomy });
  addCall(rounds, {
    usage: 'arrivals <id>',
    operation: 'getArrivals',
    input: idOfRound,
    show: ({ stations }) => table(stations, ['station', 'count', 'every', 'offsetsMs']),
  });
  addCall(rounds, {
    usage: 'extend <id> <seconds>',
    operation: 'extendRound',
    input: ([id, seconds = '']) => ({
      params: { id: id as RoundId },
      body: { byMs: milliseconds(seconds, 'extend', 1000) },
    }),
  });
  addCall(rounds, { usage: 'close <id>', operation: 'closeRound', input: idOfRound });
  addCall(rounds, { usage: 'abort <id>', operation: 'abortRound', input: idOfRound });
}

function anatomy({ round, funnel, spans, remainingMs, atWork }: RoundAnatomy): string {
  const { id, kind, number, state, reason } = round;
  return [
    record({ round: id, kind, number, state, reason, atWork, remainingMs }),
    table(funnel, ['station', 'reached', 'dropped']),
    table(spans, ['span', 'count', 'p50Ms', 'p95Ms', 'p99Ms']),
  ].join('\n\n');
}

function addVersions(versions: Command): void {
  addCall(versions, { usage: 'show <id>', operation: 'getVersion', input: idOfVersion });
  addCall(versions, {
    usage: 'lineage <id>',
    operation: 'getLineage',
    input: idOfVersion,
    show: ({ steps, complete }) =>
      `${table(steps, ['version.id', 'version.taskId', 'version.number', 'origin.kind', 'origin.number', 'origin.devices'])}${complete ? '' : '\n…'}`,
  });
  addCall(versions, {
    usage: 'promote <id>',
    operation: 'promoteVersion',
    options: note,
    input: (args, options) => ({ ...idOfVersion(args), ...noteOf(options) }),
  });
  addAction(
    versions
      .command('download <id>')
      .description('Download a model version')
      .option('--format <name>', 'safetensors or onnx', 'safetensors')
      .option('--out <file>', 'where to write it (default: <id>.<format>)'),
    async (client, [id = ''], options) => {
      const { json, format, out } = options as typeof options & { format: string; out?: string };
      if (format !== 'safetensors' && format !== 'onnx') {
        throw new Error(`--format is safetensors or onnx, not "${format}".`);
      }
      const bytes = await client.download(id, format);
      const file = out ?? `${id}.${format}`;
      await writeFile(file, bytes);
      console.log(json ? JSON.stringify({ file, bytes: bytes.length }) : `${file}: ${bytes.length} bytes`);
    },
  );
}
