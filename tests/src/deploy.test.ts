import { execFile } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { PersistentVolumeClaim } from 'kubernetes-models/v1/PersistentVolumeClaim';
import { Service } from 'kubernetes-models/v1/Service';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deploy,
  environmentNames,
  isObject,
  objectsIn,
  patched,
  readYaml,
  root,
  type Json,
  type JsonObject,
} from './testing/deploy.ts';

/** What can be checked of deploy/ without the programs that it is for: docs/deploy.md says what was not run. */

const run = promisify(execFile);
const routes = ['/healthz', '/readyz']; // tests/src/observability.test.ts asks them
const ports = [7700, 9464];

let known: Set<string>;
let flags: string[];

beforeAll(async () => {
  known = await environmentNames();
  const { stdout } = await run(process.execPath, [join(root, 'cli/dist/main.js'), 'serve', '--help']);
  flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
});

function expectCommand(command: readonly Json[]): void {
  expect(command[0]).toBe('serve');
  for (const word of command)
    if (typeof word === 'string' && word.startsWith('--')) expect(flags, word).toContain(word);
}

describe('the Dockerfile', () => {
  let text: string;
  let dockerfile: ReturnType<typeof DockerfileParser.parse>;
  beforeAll(async () => {
    text = await readFile(join(deploy, 'Dockerfile'), 'utf8');
    dockerfile = DockerfileParser.parse(text);
  });

  const argumentsOf = (keyword: string) =>
    dockerfile
      .getInstructions()
      .filter((instruction) => instruction.getKeyword() === keyword)
      .map((instruction) => instruction.getArgumentsContent() ?? '');

  it('is well formed', () => {
    expect(validate(text)).toEqual([]);
    expect(validate('FROM node\nCOPPY . .\n')).not.toEqual([]);
  });

  it('runs scripts that package.json has, and copies rooms that there are', async () => {
    const { scripts, workspaces } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
      workspaces: string[];
    };
    const commands = argumentsOf('RUN').join('\n');
    const named = [...commands.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name);
    expect(named).toEqual(['build']);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
    const rooms = (/for room in ([^;]+);/.exec(commands)?.[1] ?? '').trim().split(' ');
    expect([...rooms].sort()).toEqual(
      workspaces.filter((room) => !['bench', 'tests', 'web-console'].includes(room)).sort(),
    );
    for (const path of ['examples', 'cluster/src', 'package.json', 'web-console/dist/site']) {
      expect(commands).toContain(path);
      await access(join(root, path));
    }
    expect(commands).toContain('--omit=dev');
  });

  it('starts what was built, as nobody in particular, and asks whether it lives', async () => {
    const [entry = ''] = argumentsOf('ENTRYPOINT');
    const [program, file = ''] = JSON.parse(entry) as string[];
    expect(program).toBe('node');
    await access(join(root, file));
    expectCommand(JSON.parse(argumentsOf('CMD').at(-1) ?? '') as string[]);
    const [, user = ''] = /^(\d+):\d+$/.exec(argumentsOf('USER').at(-1) ?? '') ?? [];
    expect(Number(user)).toBeGreaterThan(0);
    const [, path = ''] = /127\.0\.0\.1:7700(\/\w+)/.exec(argumentsOf('HEALTHCHECK')[0] ?? '') ?? [];
    expect(routes).toContain(path);
    const names = [
      ...argumentsOf('ENV')
        .join(' ')
        .matchAll(/([A-Z_]+)=/g),
    ].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(known, name).toContain(name);
    expect(argumentsOf('EXPOSE')).toEqual([ports.join(' ')]);
  });
});

interface ComposeService {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  networks?: string[];
  depends_on?: Record<string, object>;
  read_only?: boolean;
}

describe('the compose file', () => {
  let text: string;
  let compose: {
    services: Record<string, ComposeService>;
    networks: Record<string, object>;
    volumes: Record<string, object>;
  };
  beforeAll(async () => {
    const path = join(deploy, 'compose.yaml');
    text = await readFile(path, 'utf8');
    compose = await readYaml(path);
  });

  it('names only what it declares, and files that there are', async () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const other of Object.keys(service.depends_on ?? {}))
        expect(Object.keys(compose.services), name).toContain(other);
      for (const network of service.networks ?? [])
        expect(Object.keys(compose.networks), name).toContain(network);
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) await access(resolve(deploy, from));
        else expect(Object.keys(compose.volumes), name).toContain(from);
      }
    }
  });

  it('pins every image of others, and asks for every secret', async () => {
    for (const { image } of Object.values(compose.services))
      if (image !== 'starling') expect(image).toMatch(/:v?\d+\.\d+/);
    const asked = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    const example = await readFile(join(deploy, 'env.example'), 'utf8');
    const offered = [...example.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
    expect([...new Set(asked)].sort()).toEqual([...offered].sort());
    for (const [, name] of text.matchAll(/\$\{(\w+(?:PASSWORD|KEY))\}/g))
      expect.fail(`${name ?? ''} may be empty: ask for it with :?`);
  });

  it('starts two servers that cannot write but to their volume', () => {
    const servers = Object.entries(compose.services).filter(([name]) => name.startsWith('server'));
    expect(servers).toHaveLength(2);
    for (const [, service] of servers) {
      expectCommand(service.command ?? []);
      for (const name of Object.keys(service.environment ?? {})) expect(known, name).toContain(name);
      expect(service.read_only).toBe(true);
      expect(service.volumes).toEqual(['uploads:/data']);
    }
  });

  it('has a proxy and a Prometheus that ask the servers where they answer', async () => {
    const servers = Object.keys(compose.services).filter((name) => name.startsWith('server'));
    const proxy = await readFile(join(deploy, 'compose/Caddyfile'), 'utf8');
    expect([...proxy.matchAll(/(\S+):7700/g)].map(([, name]) => name)).toEqual(servers);
    expect(routes).toContain(/health_uri (\S+)/.exec(proxy)?.[1]);
    const prometheus = await readYaml<{
      rule_files: string[];
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    }>(join(deploy, 'prometheus/prometheus.yml'));
    const targets = prometheus.scrape_configs.flatMap((config) =>
      config.static_configs.flatMap((each) => each.targets),
    );
    expect(targets).toEqual(servers.map((name) => `${name}:9464`));
    for (const file of prometheus.rule_files) await access(join(deploy, 'prometheus', file));
  });
});

const kinds: Record<string, new (value: never) => { validate(): void }> = {
  Deployment,
  Service,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  NetworkPolicy,
};

const textOf = (value: Json | undefined) => (typeof value === 'string' ? value : JSON.stringify(value));

/** Throws unless the manifest fits the schema of its kind. */
function check(manifest: JsonObject): void {
  const Kind = kinds[textOf(manifest['kind'])];
  if (!Kind) throw new TypeError(`No schema for ${textOf(manifest['kind'])}.`);
  const made = new Kind(manifest as never); // what it is, is for the schema to say
  expect(made).toMatchObject({ apiVersion: manifest['apiVersion'], kind: manifest['kind'] });
  made.validate();
}

async function kustomization(folder: string): Promise<Map<string, JsonObject>> {
  const { resources, patches = [] } = await readYaml<{ resources: string[]; patches?: { path: string }[] }>(
    join(folder, 'kustomization.yaml'),
  );
  const files = (await readdir(folder)).filter((name) => name !== 'kustomization.yaml');
  const named = [...resources.filter((name) => name.endsWith('.yaml')), ...patches.map(({ path }) => path)];
  expect(named.sort()).toEqual(files.sort());
  const manifests = new Map<string, JsonObject>();
  const idOf = ({ kind, metadata }: JsonObject) =>
    `${textOf(kind)} ${isObject(metadata) ? textOf(metadata['name']) : ''}`;
  for (const name of resources) {
    if (name.endsWith('.yaml')) {
      const manifest = await readYaml<JsonObject>(join(folder, name));
      manifests.set(idOf(manifest), manifest);
    } else for (const [id, manifest] of await kustomization(join(folder, name))) manifests.set(id, manifest);
  }
  for (const { path } of patches) {
    const patch = await readYaml<JsonObject>(join(folder, path));
    const base = manifests.get(idOf(patch));
    expect(base, `${path} changes nothing that there is`).toBeDefined();
    manifests.set(idOf(patch), patched(base, patch) as JsonObject);
  }
  return manifests;
}

describe.each(['base', 'overlays/nodes'])('the Kubernetes manifests of %s', (name) => {
  let manifests: Map<string, JsonObject>;
  let all: JsonObject[];
  const named = (id: string): JsonObject => {
    const manifest = manifests.get(id);
    if (!manifest) throw new TypeError(`There is no ${id}.`);
    return manifest;
  };
  beforeAll(async () => {
    manifests = await kustomization(join(deploy, 'kubernetes', name));
    all = objectsIn([...manifests.values()]);
  });

  it('fit their schemas', () => {
    expect(manifests.size).toBe(5);
    for (const manifest of manifests.values()) check(manifest);
    expect(() => {
      check(patched(named('Deployment starling'), { spec: { replicas: 'two' } }) as JsonObject);
    }).toThrow();
  });

  it('fit each other: labels, ports, volumes and probes', () => {
    const label = { 'app.kubernetes.io/name': 'starling' };
    for (const selector of ['spec.selector.matchLabels', 'spec.template.metadata.labels'])
      expect(named('Deployment starling')).toHaveProperty(selector, label);
    expect(named('Service starling')).toHaveProperty('spec.selector', label);
    expect(named('PodDisruptionBudget starling')).toHaveProperty('spec.selector.matchLabels', label);
    expect(named('NetworkPolicy starling')).toHaveProperty('spec.podSelector.matchLabels', label);
    const containerPorts = all.filter((each) => 'containerPort' in each);
    expect(containerPorts.map((port) => port['containerPort'])).toEqual(ports);
    const portNames = containerPorts.map((port) => port['name']);
    const gets = all.flatMap((each) => (isObject(each['httpGet']) ? [each['httpGet']] : []));
    expect(gets).toHaveLength(3);
    for (const { path, port } of gets) {
      expect(routes).toContain(path);
      expect(portNames).toContain(port);
    }
    for (const each of all) {
      if ('targetPort' in each) expect(portNames).toContain(each['targetPort']);
      if ('claimName' in each) named(`PersistentVolumeClaim ${textOf(each['claimName'])}`);
    }
    const volumes = all.filter((each) => 'persistentVolumeClaim' in each || 'emptyDir' in each);
    const mounts = all.filter((each) => 'mountPath' in each);
    expect(mounts.map((mount) => mount['name'])).toEqual(volumes.map((volume) => volume['name']));
  });

  it('start the server with flags and variables that it knows, and as little right as it needs', () => {
    const [container] = all.filter((each) => 'image' in each);
    expectCommand(container?.['args'] as Json[]); // a list, or expectCommand says so
    for (const each of container?.['env'] as JsonObject[]) expect(known).toContain(each['name']);
    expect(container?.['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const deployment = named('Deployment starling');
    expect(deployment).toHaveProperty('spec.template.spec.securityContext.runAsNonRoot', true);
    expect(deployment).toHaveProperty('spec.template.spec.automountServiceAccountToken', false);
    const { terminationGracePeriodSeconds: grace } = all.find(
      (each) => 'terminationGracePeriodSeconds' in each,
    )!;
    const args = container?.['args'] as string[];
    expect(Number(grace)).toBeGreaterThan(Number(args[args.indexOf('--drain-seconds') + 1]) + 10);
  });

  it('run several servers only where all of them share what is durable', () => {
    const deployment = named('Deployment starling');
    const variables = all.filter((each) => 'valueFrom' in each).map((each) => each['name']);
    const modes = named('PersistentVolumeClaim starling-data');
    if (name === 'base') {
      expect(deployment).toHaveProperty('spec.replicas', 1);
      expect(deployment).toHaveProperty('spec.strategy.type', 'Recreate');
    } else {
      expect(variables).toEqual(expect.arrayContaining(['STARLING_DATABASE_URL', 'STARLING_BLOBS_URL']));
      expect(modes).toHaveProperty('spec.accessModes', ['ReadWriteMany']);
    }
  });
});
