import type { Command } from 'commander';
import { addCall } from './command.ts';

/** `starling operations`. */
export function addOperationsCommand(program: Command): void {
  addCall(program, { usage: 'operations', operation: 'getOperations', input: () => ({}) });
}
