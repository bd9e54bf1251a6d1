import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RayHead } from '../testing/ray-head.ts';
import { examineCluster, type ClusterReport } from './doctor.ts';

const sources = fileURLToPath(new URL('../../../../cluster/src', import.meta.url));
const cpu = { available: true, name: 'cpu' };
const missing = (reason: string) => ({ available: false, reason });
const torch = {
  installed: true,
  version: '2.15.0',
  devices: { cpu, gpu: missing('It sees 0 CUDA devices.'), npu: missing('torch_npu is not installed.') },
};
const examination = {
  python: '3.11.7',
  sees: null,
  frameworks: { torch, mindspore: { installed: false } },
};

describe('the examination of a Ray cluster', () => {
  let head: RayHead;
  beforeEach(async () => {
    head = new RayHead('no program');
    head.nodes = [
      { state: 'ALIVE', resources_total: { CPU: 3, NPU: 2 } },
      { state: 'ALIVE', resources_total: { CPU: 1 } },
    ];
    head.examinations = { cpu: examination, npu: examination };
    await head.start();
  });
  afterEach(() => head.stop());
  const examine = (changes: object = {}) =>
    examineCluster({ url: head.url, token: head.token, sources, ...changes });
  const finding = ({ findings }: ClusterReport, check: string) =>
    findings.find((found) => found.check === check);

  it('says what jobs it can run, and on what', async () => {
    const ascend = { ...torch, devices: { ...torch.devices, npu: { available: true, name: 'Ascend910B' } } };
    head.examinations.npu = { ...examination, frameworks: { ...examination.frameworks, torch: ascend } };
    const report = await examine();
    expect(report).toMatchObject({ healthy: true, ray: '2.60.0', python: '3.11.7' });
    expect(report.machines).toEqual([
      { cpu: 3, gpu: 0, npu: 2 },
      { cpu: 1, gpu: 0, npu: 0 },
    ]);
    expect(report.runs.map(({ framework, device, maxWorkers }) => [framework, device, maxWorkers])).toEqual([
      ['torch', 'cpu', 3],
      ['torch', 'npu', 2],
    ]);
    expect(report.runs[0]?.kinds).toContain('distil');
    expect(report.runs[0]?.algorithms).toContain('meta-sgd');
    expect(report.findings.every(({ state }) => state === 'ok')).toBe(true);
    const asked = head.submissions.map(({ entrypoint_resources: resources }) => resources);
    expect(asked).toHaveLength(2);
    expect(asked).toEqual(expect.arrayContaining([undefined, { NPU: 1 }]));
  });

  it('warns of devices that Ray declares and no framework sees', async () => {
    const report = await examine();
    expect(report.healthy).toBe(true);
    expect(finding(report, 'npu')).toMatchObject({ state: 'warning' });
    expect(finding(report, 'npu')?.says).toContain('torch_npu is not installed');
    expect(report.runs.map(({ device }) => device)).toEqual(['cpu']);
  });

  describe('that has the program of simulations', () => {
    const simulator = fileURLToPath(import.meta.url); // any file
    it('says whether virtual devices can run', async () => {
      const report = await examine({ simulator });
      expect(finding(report, 'node')).toMatchObject({ state: 'ok', says: 'Node 20.20.0 on every machine.' });
      expect(report.runs.at(-1)).toMatchObject({ framework: 'embedded', kinds: ['simulate'], maxWorkers: 4 });
    });

    it('warns where they cannot: other jobs go without', async () => {
      head.machines = [{ machine: 'head', node: null, reason: 'Node 18.19.0 is too old.' }];
      const report = await examine({ simulator });
      expect(report.healthy).toBe(true);
      expect(finding(report, 'node')).toMatchObject({ state: 'warning' });
      expect(finding(report, 'node')?.says).toContain('Node 18.19.0 is too old.');
      expect(report.runs.some(({ framework }) => framework === 'embedded')).toBe(false);
    });
  });

  it('says which algorithms MindSpore leaves out', async () => {
    const mindspore = { installed: true, version: '2.10.0', devices: { ...torch.devices } };
    head.examinations.cpu = { ...examination, frameworks: { torch, mindspore } };
    const { runs } = await examine();
    expect(runs.find(({ framework }) => framework === 'mindspore')?.algorithms).not.toContain('maml');
  });

  it('is not content where nothing can run', async () => {
    head.examinations.cpu = {
      ...examination,
      frameworks: { torch: { installed: false }, mindspore: { installed: false } },
    };
    const bare = await examine();
    expect(bare.healthy).toBe(false);
    expect(finding(bare, 'cpu')).toMatchObject({ state: 'failed' });
    head.examinations = {};
    const broken = await examine();
    expect(broken.healthy).toBe(false);
    expect(finding(broken, 'program')?.says).toContain('No module named starling_cluster');
    expect(broken.runs).toEqual([]);
  });

  it('says when the machines do not see the directory of the server', async () => {
    head.examinations.cpu = { ...examination, sees: false };
    const report = await examine({ directory: '/srv/starling' });
    expect(report.healthy).toBe(false);
    expect(finding(report, 'directory')?.says).toContain('/srv/starling');
    expect(head.submissions[0]?.entrypoint).toBe('python -m starling_cluster.doctor --sees /srv/starling');
    head.examinations.cpu = { ...examination, sees: true };
    expect((await examine({ directory: '/srv/starling' })).healthy).toBe(true);
  });

  it('says when the token is not taken, when none is wanted, and when nobody answers', async () => {
    const wrong = await examine({ token: 'another' });
    expect(wrong.healthy).toBe(false);
    expect(finding(wrong, 'token')).toMatchObject({ state: 'failed' });
    head.open = true;
    const open = await examine();
    expect(open.healthy).toBe(true);
    expect(finding(open, 'token')).toMatchObject({ state: 'warning' });
    const nobody = await examine({ url: 'http://127.0.0.1:9' });
    expect(nobody).toMatchObject({ healthy: false, ray: null });
    expect(finding(nobody, 'answers')).toMatchObject({ state: 'failed' });
  });

  it('gives up on machines that are busy', async () => {
    head.busy = true;
    const report = await examine({ patienceSeconds: 0.05 });
    expect(report.healthy).toBe(false);
    expect(finding(report, 'program')?.says).toContain('PENDING');
  });

  it('puts nothing into a command that a shell would read', async () => {
    await expect(examine({ directory: '/data/$(id)' })).rejects.toThrow(RangeError);
    await expect(examine({ python: 'python; id' })).rejects.toThrow(RangeError);
    expect(head.submissions).toHaveLength(0);
  });
});
