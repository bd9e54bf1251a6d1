import {
  endpoints,
  type AnswerOf,
  type Client,
  type Endpoints,
  type InputOf,
  type Operation,
} from '@starling/protocol/api';
import type { Command } from 'commander';
import { addConnectionOptions, connect, type ConnectionOptions } from './connection.ts';
import { record, table, type Columns } from './output.ts';

export type Options = Record<string, string | undefined>;

interface Shape<O extends Operation> {
  /** Name and arguments, as commander writes them: `show <id>`. */
  usage: string;
  operation: O;
  /** Options besides those of the connection: flags and description. */
  options?: readonly (readonly [string, string])[];
  input: (args: string[], options: Options) => InputOf<Endpoints[O]> | Promise<InputOf<Endpoints[O]>>;
  /** How a person sees the answer; default: a record. */
  show?: (answer: AnswerOf<Endpoints[O]>) => string;
  /** Whether the answer is bad news: the command then ends with status 1. */
  isBad?: (answer: AnswerOf<Endpoints[O]>) => boolean;
}

/** Adds a command that calls one operation and prints its answer. */
export function addCall<O extends Operation>(parent: Command, shape: Shape<O>): void {
  const command = parent.command(shape.usage).description(endpoints[shape.operation].summary);
  for (const [flags, description] of shape.options ?? []) command.option(flags, description);
  addAction(command, async (client, args, { json, ...options }) => {
    const input = await shape.input(args, options);
    // One operation, one input: `call` wants them as a pair, which a generic O does not show to the compiler.
    const call = client.call as (
      operation: O,
      input: InputOf<Endpoints[O]>,
    ) => Promise<AnswerOf<Endpoints[O]>>;
    const answer = await call(shape.operation, input);
    const show = shape.show ?? ((whole: AnswerOf<Endpoints[O]>) => record(whole));
    console.log(json ? JSON.stringify(answer) : show(answer));
    if (shape.isBad?.(answer)) process.exitCode = 1;
  });
}

/** A command with a connection. */
export function addAction(
  command: Command,
  act: (client: Client, args: string[], options: ConnectionOptions) => Promise<void>,
): void {
  addConnectionOptions(command).action(async () => {
    const options = command.opts<ConnectionOptions>();
    await act(await connect(options), command.args, options);
  });
}

interface Page {
  items: object[];
  next: string | null;
}

/** Shows a page as a table, and how to get the next one. */
export function pageOf(columns: Columns): (page: Page) => string {
  return ({ items, next }) => `${table(items, columns)}${next === null ? '' : `\nmore: --cursor ${next}`}`;
}

export const pageOptions = [
  ['--limit <n>', 'how many, up to 200 (default: 50)'],
  ['--cursor <text>', 'where the page before ended'],
] as const;

/** The query of a page from its options. */
export function pageQuery({ limit, cursor }: Options): { limit?: number; cursor?: string } {
  return {
    ...(limit !== undefined && { limit: whole(limit, '--limit') }),
    ...(cursor !== undefined && { cursor }),
  };
}

/** Those of the options that were given, for a query whose values the server checks. */
export function given<Name extends string>(
  options: Options,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const entries = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return Object.fromEntries(entries) as Partial<Record<Name, string>>; // only of these names
}

/** A whole number of an option; throws an Error that names it. */
export function whole(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new Error(`${option} wants a whole number, not "${text}".`);
  return value;
}

/** A number of an option in milliseconds per `unitMs`. */
export function milliseconds(text: string, option: string, unitMs: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${option} wants a number, not "${text}".`);
  return Math.round(value * unitMs);
}
