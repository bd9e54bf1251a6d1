import { endpoints, type Operation } from '@starling/protocol/api';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addAdminCommands } from './index.ts';

/** Operations that no command is named after. */
const withoutCommand: readonly Operation[] = [
  'getJobLog', // `jobs log` reads it again and again
  ...(['listInvitations', 'acceptInvitation', 'declineInvitation'] as const), // of people; commands have API keys
];

function described(command: Command): string[] {
  return [command.description(), ...command.commands.flatMap(described)];
}

describe('the commands of the admin API', () => {
  it('reach every operation of REST', () => {
    const program = new Command();
    addAdminCommands(program);
    const reached = new Set(described(program));
    const operations = Object.keys(endpoints) as Operation[]; // the table's keys are all there are
    const missing = operations.filter((operation) => !reached.has(endpoints[operation].summary));
    expect(missing.sort()).toEqual([...withoutCommand].sort());
  });
});
