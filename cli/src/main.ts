#!/usr/bin/env node
import { ProblemError } from '@starling/protocol';
import { fetchUciHar } from '@starling/simulator';
import { Command, InvalidArgumentError } from 'commander';
import { addAdminCommands } from './admin/index.ts';
import { runDemo } from './demo/demo.ts';
import { addDemoOptions, type DemoOptions } from './demo/options.ts';
import { serve, type ServeOptions } from './serve.ts';

const program = new Command('starling')
  .description('Device-cloud federated meta-learning')
  .showHelpAfterError();

program
  .command('serve')
  .description('run a server')
  .option(
    '--data-dir <dir>',
    'where everything durable lives',
    process.env['STARLING_DATA_DIR'] ?? '.starling/server',
  )
  .option('--host <address>', 'address to listen on', process.env['STARLING_HOST'] ?? '127.0.0.1')
  .option('--port <n>', 'port to listen on', port, Number(process.env['STARLING_PORT'] ?? 7700))
  .option('--cors-origin <origins...>', 'origins whose pages may call the API', ['*'])
  .option('--behind-tls', 'a proxy of yours ends TLS and says who calls (X-Forwarded-For)', false)
  .option('--log-level <level>', 'silent, error, warn or info', 'info')
  .action((options: ServeOptions) => serve(options));

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
