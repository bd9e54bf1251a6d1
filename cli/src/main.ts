#!/usr/bin/env node
import { ProblemError } from '@starling/protocol';
import { fetchUciHar } from '@starling/simulator';
import { Command, InvalidArgumentError } from 'commander';
import { addAdminCommands } from './admin/index.ts';
import { backup, restore } from './backup.ts';
import { runDemo } from './demo/demo.ts';
import { addDemoOptions, type DemoOptions } from './demo/options.ts';
import { dataSet } from './cloud-options.ts';
import { addOidcOptions } from './oidc-options.ts';
import { serve, type ServeOptions } from './serve.ts';
import { addStorageOptions, type StorageOptions } from './storage-options.ts';

const program = new Command('starling')
  .description('Device-cloud federated meta-learning')
  .showHelpAfterError();

addOidcOptions(addStorageOptions(program.command('serve').description('run a server')))
  .option('--host <address>', 'address to listen on', process.env['STARLING_HOST'] ?? '127.0.0.1')
  .option('--port <n>', 'port to listen on', port, Number(process.env['STARLING_PORT'] ?? 7700))
  .option('--cors-origin <origins...>', 'origins whose pages may be devices', ['*'])
  .option('--behind-tls', 'a proxy of yours ends TLS and says who calls (X-Forwarded-For)', false)
  .option(
    '--public-url <url>',
    'where people find the server, if not where it listens (https://fl.example.com)',
    process.env['STARLING_PUBLIC_URL'],
  )
  .option('--log-level <level>', 'silent, error, warn or info', 'info')
  .option('--keep-versions <n>', 'keep the weights of so many versions of each task (default: of all)', count)
  .option(
    '--data-set <name=dir>',
    'a fedpack that jobs in the cloud may learn from (repeatable)',
    dataSet,
    {},
  )
  .option('--python <path>', 'run jobs of torch and mindspore beside the server with this interpreter')
  .option('--ray <url>', 'run jobs on the Ray cluster with this dashboard; its token is STARLING_RAY_TOKEN')
  .option('--ray-python <path>', 'the interpreter on the machines of the cluster')
  .option('--ray-insecure', 'use a Ray cluster without a token: whoever reaches it may run programs there')
  .action((options: ServeOptions) => serve(options));

addStorageOptions(program.command('backup').description('write a backup of a server into a new directory'))
  .requiredOption('--out <dir>', 'directory to write, new or empty')
  .action((options: StorageOptions & { out: string }) => backup(options));
addStorageOptions(program.command('restore').description('fill an empty place from a backup'))
  .requiredOption('--from <dir>', 'directory that "starling backup" wrote')
  .action((options: StorageOptions & { from: string }) => restore(options));

addDemoOptions(
  program
    .command('demo')
    .description(
      'train on the data of real people, each on a device of its own, and compare on people held out',
    ),
).action((options: DemoOptions) => runDemo(options));

const data = program.command('data').description('data sets');
data
  .command('fetch')
  .description('download a data set from its publisher and convert it')
  .argument('<name>', 'uci-har')
  .option('--into <dir>', 'directory of the pack', '.starling/data/uci-har')
  .option('--archive <file>', 'convert an archive that was downloaded by hand')
  .option('--sha256 <digest>', 'refuse an archive with another SHA-256')
  .action(async (name: string, options: { into: string; archive?: string; sha256?: string }) => {
    if (name !== 'uci-har') throw new Error(`"${name}" cannot be fetched. Known: uci-har.`);
    const { into, ...rest } = options;
    await fetchUciHar(into, {
      fetch,
      log: (line: string) => {
        console.error(line);
      },
      ...rest,
    });
    console.log(into);
  });

addAdminCommands(program);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('Expected a port.');
  return value;
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const code = error instanceof ProblemError ? ` [${error.code}]` : '';
  console.error(`starling: ${error.message}${code}`);
  const parts = error instanceof ProblemError ? (error.extra.errors ?? []) : [];
  for (const { path, message } of parts) console.error(`  ${path}: ${message}`);
  process.exit(1);
}
