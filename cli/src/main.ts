#!/usr/bin/env node
import { ProblemError } from '@starling/protocol';
import { Command, InvalidArgumentError } from 'commander';
import { addAdminCommands } from './admin/index.ts';
import type { ClusterDoctorOptions } from './cluster-doctor.ts';
import { dataSet } from './data-set-option.ts';
import { addDemoOptions, type DemoOptions } from './demo/options.ts';
import { addOidcOptions } from './oidc-options.ts';
import type { ServeOptions } from './serve.ts';
import { addSimulateOptions, type SimulateOptions } from './simulate/options.ts';
import { addStorageOptions, type StorageOptions } from './storage-options.ts';

// Commands import what they run only when they run: the server and the simulator take a second to load.

const program = new Command('starling')
  .description('Device-cloud federated meta-learning')
  .showHelpAfterError();

addOidcOptions(addStorageOptions(program.command('serve').description('run a server')))
  .option('--host <address>', 'address to listen on', process.env['STARLING_HOST'] ?? '127.0.0.1')
  .option('--port <n>', 'port to listen on', port, Number(process.env['STARLING_PORT'] ?? 7700))
  .option('--cors-origin <origins...>', 'origins whose pages may be devices', ['*'])
  .option('--behind-tls', 'a proxy of yours ends TLS and says who calls (X-Forwarded-For)', false)
  .option(
    '--trust-traceparent',
    "traces go on from the caller's traceparent: where a proxy of yours keeps out those of strangers",
    false,
  )
  .option(
    '--public-url <url>',
    'where people find the server, if not where it listens (https://fl.example.com)',
    process.env['STARLING_PUBLIC_URL'],
  )
  .option(
    '--metrics <host:port>',
    'serve Prometheus metrics there, for all tenants: keep strangers away (default: none; or STARLING_METRICS)',
    socketAddress,
  )
  .option(
    '--drain-seconds <n>',
    'at SIGTERM, say at /readyz for so long that the server ends, and only then end',
    seconds,
    0,
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
  .option(
    '--ray-node <path>',
    'the command of Node there, for simulations on virtual devices (default: node)',
  )
  .option('--ray-insecure', 'use a Ray cluster without a token: whoever reaches it may run programs there')
  .action(async (options: ServeOptions) => {
    const { serve } = await import('./serve.ts');
    const named = process.env['STARLING_METRICS'] ?? '';
    await serve({ ...(named !== '' && { metrics: socketAddress(named) }), ...options });
  });

addStorageOptions(program.command('backup').description('write a backup of a server into a new directory'))
  .requiredOption('--out <dir>', 'directory to write, new or empty')
  .action(async (options: StorageOptions & { out: string }) => {
    const { backup } = await import('./backup.ts');
    await backup(options);
  });
addStorageOptions(program.command('restore').description('fill an empty place from a backup'))
  .requiredOption('--from <dir>', 'directory that "starling backup" wrote')
  .action(async (options: StorageOptions & { from: string }) => {
    const { restore } = await import('./backup.ts');
    await restore(options);
  });

addDemoOptions(
  program
    .command('demo')
    .description(
      'train on the data of real people, each on a device of its own, and compare on people held out',
    ),
).action(async (options: DemoOptions) => {
  const { runDemo } = await import('./demo/demo.ts');
  await runDemo(options);
});

addSimulateOptions(
  program
    .command('simulate')
    .description('try a plan on virtual devices, without a server: what it learns, moves and takes'),
).action(async (options: SimulateOptions) => {
  const { runSimulate } = await import('./simulate/simulate.ts');
  await runSimulate(options);
});

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
    const { fetchUciHar } = await import('@starling/simulator');
    await fetchUciHar(into, {
      fetch,
      log: (line: string) => {
        console.error(line);
      },
      ...rest,
    });
    console.log(into);
  });

program
  .command('cluster')
  .description('clusters that jobs may run on')
  .command('doctor')
  .description('ask a Ray cluster, and a program of ours on its machines, which jobs it can run')
  .argument('<url>', 'its dashboard; its token is STARLING_RAY_TOKEN')
  .option('--python <path>', "the interpreter on the cluster's machines (default: python)")
  .option('--node <path>', 'the command of Node there, for simulations on virtual devices (default: node)')
  .option('--directory <dir>', "the server's data directory: do the cluster's machines see it?")
  .option('--json', 'print the report as JSON')
  .action(async (url: string, options: ClusterDoctorOptions) => {
    const { clusterDoctor } = await import('./cluster-doctor.ts');
    await clusterDoctor(url, options);
  });

addAdminCommands(program);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(text !== '' && value >= 0 && value <= 3600))
    throw new InvalidArgumentError('Expected seconds, at most 3600.');
  return value;
}

function socketAddress(text: string): { host: string; port: number } {
  const [, host, digits = ''] = /^(?:\[([^\]]+)\]|[^:]+):(\d+)$/.exec(text) ?? [];
  if (digits === '')
    throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:9464 or [::1]:9464.');
  return { host: host ?? text.slice(0, text.lastIndexOf(':')), port: port(digits) };
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
