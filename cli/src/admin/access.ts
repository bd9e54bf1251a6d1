import type { KeyId, MemberId, PersonRole, ProjectId, Role } from '@starling/protocol';
import type { Command } from 'commander';
import { addRecovery } from '../recover.ts';
import { addCall, milliseconds, pageOf, pageOptions, pageQuery, whole } from './command.ts';
import { record } from './output.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const idOfKey = ([id]: string[]) => ({ params: { id: id as KeyId } });

const idOfMember = ([id]: string[]) => ({ params: { id: id as MemberId } });

/** `starling whoami | projects | keys | members | audit`. */
export function addAccessCommands(program: Command): void {
  addCall(program, {
    usage: 'whoami',
    operation: 'getCaller',
    input: () => ({}),
    show: ({ key, person, role, project }) =>
      record({ ...(key && { key: key.id }), name: (key ?? person)?.name, role, project: project.id }),
  });

  const projects = program.command('projects').description('tenants');
  addCall(projects, {
    usage: 'list',
    operation: 'listProjects',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(['id', 'name', 'createdAt']),
  });
  addCall(projects, {
    usage: 'create <name>',
    operation: 'createProject',
    input: ([name = '']) => ({ body: { name } }),
  });
  addCall(projects, {
    usage: 'show <id>',
    operation: 'getProject',
    input: ([id]) => ({ params: { id: id as ProjectId } }),
  });

  const keys = program.command('keys').description('API keys');
  addCall(keys, {
    usage: 'list',
    operation: 'listKeys',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(['id', 'name', 'role', 'expiresAt', 'lastUsedAt', 'revokedAt']),
  });
  addCall(keys, {
    usage: 'create <name>',
    operation: 'createKey',
    options: [
      ['--role <role>', 'viewer (default), operator, admin or server'],
      ['--expires-days <n>', 'when it ends (default: never)'],
    ],
    input: ([name = ''], { role = 'viewer', expiresDays }) => ({
      body: {
        name,
        role: role as Role, // the server checks it
        ...(expiresDays !== undefined && {
          expiresInMs: milliseconds(expiresDays, '--expires-days', dayMs),
        }),
      },
    }),
  });
  addCall(keys, { usage: 'show <id>', operation: 'getKey', input: idOfKey });
  addCall(keys, {
    usage: 'rotate <id>',
    operation: 'rotateKey',
    options: [['--overlap-hours <n>', 'how long the old secret is still taken (default: 24)']],
    input: (args, { overlapHours }) => ({
      ...idOfKey(args),
      body:
        overlapHours === undefined
          ? {}
          : { overlapMs: milliseconds(overlapHours, '--overlap-hours', hourMs) },
    }),
  });
  addRecovery(keys);
  addCall(keys, { usage: 'revoke <id>', operation: 'revokeKey', input: idOfKey });

  const members = program.command('members').description('people of the project');
  addCall(members, {
    usage: 'list',
    operation: 'listMembers',
    options: pageOptions,
    input: (_, options) => ({ query: pageQuery(options) }),
    show: pageOf(['id', 'email', 'name', 'role', 'joinedAt', 'removedAt']),
  });
  addCall(members, {
    usage: 'invite <email>',
    operation: 'inviteMember',
    options: [['--role <role>', 'viewer (default), operator or admin']],
    input: ([email = ''], { role = 'viewer' }) => ({
      body: { email, role: role as PersonRole }, // the server checks it
    }),
  });
  addCall(members, { usage: 'show <id>', operation: 'getMember', input: idOfMember });
  addCall(members, {
    usage: 'role <id> <role>',
    operation: 'changeMember',
    input: ([id = '', role]) => ({ ...idOfMember([id]), body: { role: role as PersonRole } }), // as above
  });
  addCall(members, { usage: 'remove <id>', operation: 'removeMember', input: idOfMember });

  const audit = program.command('audit').description('who asked for what, and what came of it');
  addCall(audit, {
    usage: 'list',
    operation: 'listAudit',
    options: [
      ...pageOptions,
      ['--by-key <id>', 'only of this API key'],
      ['--action <name>', 'only of this operation, e.g. startTask'],
      ['--object <id>', 'only about this object'],
      ['--since <time>', 'RFC 3339'],
      ['--until <time>', 'RFC 3339'],
    ],
    input: (_, { byKey, action, object, since, until, ...options }) => ({
      query: {
        ...pageQuery(options),
        ...(byKey !== undefined && { key: byKey as KeyId }),
        ...(action !== undefined && { action }),
        ...(object !== undefined && { object }),
        ...(since !== undefined && { since }),
        ...(until !== undefined && { until }),
      },
    }),
    show: pageOf([
      'sequence',
      'at',
      'keyId',
      'personId',
      'action',
      'object',
      'outcome.status',
      'outcome.object',
      'from',
    ]),
  });
  addCall(audit, {
    usage: 'verify',
    operation: 'verifyAudit',
    options: [['--head <sequence:hash>', 'a head that was kept: the chain must still hold it']],
    input: (_, { head }) => {
      if (head === undefined) return {};
      const [sequence = '', hash = ''] = head.split(':');
      return { query: { sequence: whole(sequence, '--head'), hash } };
    },
    show: ({ intact, entries, head, problem }) =>
      record({
        intact,
        entries,
        head: `${head.sequence}:${head.hash}`,
        ...(problem && { problem: `entry ${problem.sequence}: ${problem.message}` }),
      }),
    isBad: ({ intact }) => !intact,
  });
}
