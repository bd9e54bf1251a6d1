import type { Command } from 'commander';
import { addAccessCommands } from './access.ts';
import { addDeviceCommands } from './devices.ts';
import { addJobCommands } from './jobs.ts';
import { addOperationsCommand } from './operations.ts';
import { addWorkCommands } from './work.ts';

/** Adds the commands of the admin API (docs/rest.md): the same actions as REST, for people and (`--json`) for scripts. */
export function addAdminCommands(program: Command): void {
  addAccessCommands(program);
  addDeviceCommands(program);
  addWorkCommands(program);
  addJobCommands(program);
  addOperationsCommand(program);
}
