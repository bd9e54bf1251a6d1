import type { DeviceId, EnrolmentTokenId, Labels } from '@starling/protocol';
import type { Command } from 'commander';
import { addCall, given, milliseconds, pageOf, pageOptions, pageQuery, whole } from './command.ts';

/** `starling devices | tokens`. */
export function addDeviceCommands(program: Command): void {
  const devices = program.command('devices').description('enrolled devices');
  const idOfDevice = ([id]: string[]) => ({ params: { id: id as DeviceId } });
  addCall(devices, {
    usage: 'list',
    operation: 'listDevices',
    options: [
      ...pageOptions,
      ['--state <state>', 'only active or revoked ones'],
      ['--platform <name>', 'only of this platform'],
      ['--sdk-version <text>', 'only with this SDK'],
      ['--id <text>', 'only with ids that begin so'],
      ['--label <name=value>', 'only with this label'],
    ],
    input: (_, { state, ...options }) => ({
      query: {
        ...pageQuery(options),
        ...given(options, ['platform', 'sdkVersion', 'id', 'label']),
        ...(state !== undefined && { state: state as 'active' | 'revoked' }), // the server checks it
      },
    }),
    show: pageOf(['id', 'state', 'online', 'platform', 'sdkVersion', 'labels', 'createdAt']),
  });
  addCall(devices, { usage: 'show <id>', operation: 'getDevice', input: idOfDevice });
  addCall(devices, {
    usage: 'work <id>',
    operation: 'listDeviceWork',
    options: pageOptions,
    input: (args, options) => ({ ...idOfDevice(args), query: pageQuery(options) }),
    show: pageOf([
      'id',
      'task',
      'roundNumber',
      'kind',
      'state',
      'reason',
      'offeredAt',
      'trainingMs',
      'bytesUp',
    ]),
  });
  addCall(devices, {
    usage: 'fleet',
    operation: 'getFleet',
    input: () => ({}),
  });
  addCall(devices, { usage: 'revoke <id>', operation: 'revokeDevice', input: idOfDevice });
  addCall(devices, { usage: 'erase <id>', operation: 'eraseDevice', input: idOfDevice });

  const tokens = program.command('tokens').description('enrolment tokens');
  addCall(tokens, {
    usage: 'list',
    operation: 'listEnrolmentTokens',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(['id', 'uses', 'maxUses', 'labels', 'expiresAt', 'revokedAt']),
  });
  addCall(tokens, {
    usage: 'create',
    operation: 'createEnrolmentToken',
    options: [
      ['--labels <name=value,...>', 'labels that its devices get'],
      ['--max-uses <n>', 'how many devices may enrol with it (default: any)'],
      ['--expires-days <n>', 'when it ends (default: never)'],
    ],
    input: (_, { labels, maxUses, expiresDays }) => ({
      body: {
        ...(labels !== undefined && { labels: readLabels(labels) }),
        ...(maxUses !== undefined && { maxUses: whole(maxUses, '--max-uses') }),
        ...(expiresDays !== undefined && {
          expiresInMs: milliseconds(expiresDays, '--expires-days', 86_400_000),
        }),
      },
    }),
  });
  addCall(tokens, {
    usage: 'revoke <id>',
    operation: 'revokeEnrolmentToken',
    input: ([id]) => ({ params: { id: id as EnrolmentTokenId } }),
  });
}

function readLabels(text: string): Labels {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      if (at <= 0) throw new Error(`--labels wants name=value, not "${pair}".`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
