/**
 * A real Ray head for tests: on loopback, with a token, on free ports, with NPUs and GPUs that are only declared. Its
 * processes are ended by their ids: `ray stop` would end every Ray of the machine.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';

const startSeconds = 120;

/** @param python - An interpreter with ray[default]; its folder holds the command `ray`. */
export async function startRayHead(python) {
  const [dashboard] = await freePorts(1);
  return startAt(python, dashboard, randomBytes(32).toString('hex'));
}

async function startAt(python, dashboard, token) {
  const directory = mkdtempSync(join(tmpdir(), 'ray-')); // short: sockets lie in it
  const [port, ...others] = await freePorts(7);
  const otherPorts = [
    'dashboard-agent-listen-port',
    'dashboard-agent-grpc-port',
    'metrics-export-port',
    'runtime-env-agent-port',
    'node-manager-port',
    'object-manager-port',
  ];
  const head = spawn(
    join(dirname(python), 'ray'),
    [
      ...['start', '--head', '--block', '--disable-usage-stats', '--include-dashboard=true'],
      ...['--node-ip-address=127.0.0.1', `--port=${port}`, `--temp-dir=${directory}`],
      ...['--dashboard-host=127.0.0.1', `--dashboard-port=${dashboard}`],
      ...otherPorts.map((name, place) => `--${name}=${others[place]}`),
      ...['--num-cpus=4', '--num-gpus=2', '--resources={"NPU":2}', '--object-store-memory=100000000'],
    ],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: token, OMP_NUM_THREADS: '1' },
    },
  );
  let output = '';
  for (const stream of [head.stdout, head.stderr]) stream.on('data', (chunk) => (output += chunk));
  const url = `http://127.0.0.1:${dashboard}`;
  /** What ran below the head when it was killed: it has to end by itself, and does not always at once. */
  let orphans = [];
  const kill = async () => {
    if (head.exitCode !== null || head.signalCode !== null) return;
    const ended = once(head, 'exit');
    const own = processesOf(directory);
    orphans = below(head.pid)
      .filter((pid) => !own.includes(pid))
      .map((pid) => ({ pid, command: readProc(pid, 'cmdline') }));
    for (const pid of [head.pid, ...own]) signal(pid, 'SIGKILL');
    await ended;
  };
  const stop = async () => {
    await kill();
    const left = orphans.filter(({ pid, command }) => readProc(pid, 'cmdline') === command);
    for (const pid of [...left.map(({ pid }) => pid), ...processesOf(directory)]) signal(pid, 'SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  const deadline = performance.now() + startSeconds * 1000;
  while (!(await hasNode(url, token))) {
    if (head.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`The Ray head did not start:\n${output.slice(-4000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const restart = async () => {
    await kill();
    const next = await startAt(python, dashboard, token);
    const stopBoth = async () => {
      await next.stop();
      await stop();
    };
    return { ...next, stop: stopBoth };
  };
  return { url, token, directory, kill, stop, restart };
}

function hasNode(url, token) {
  return new Promise((resolve) => {
    const request = get(
      `${url}/api/v0/nodes?detail=1`,
      { headers: { authorization: `Bearer ${token}` } },
      (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk));
        answer.on('end', () => resolve(answer.statusCode === 200 && text.includes('"ALIVE"')));
      },
    );
    request.once('error', () => resolve(false));
  });
}

/** All processes below one, the deepest last. */
function below(pid) {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === pid);
  return children.flatMap((name) => [Number(name), ...below(Number(name))]);
}

/** Ray's own processes name the session's directory; some of them have left the head's tree. */
function processesOf(directory) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readProc(name, 'cmdline').includes(`${directory}/`))
    .map(Number);
}

const parentOf = (pid) =>
  Number(
    readProc(pid, 'stat')
      .replace(/^.*\) \S /s, '')
      .split(' ')[0],
  );

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
