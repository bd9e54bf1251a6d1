import { fileURLToPath } from 'node:url';
import { LocalBackend, RayBackend, type CloudOptions } from '@starling/server';

/** What `serve` is told of training in the cloud (docs/cloud.md). */
export interface CloudFlags {
  dataSet: Record<string, string>;
  python?: string;
  ray?: string;
  rayPython?: string;
  rayNode?: string;
  rayInsecure?: boolean;
}

const embeddedProgram = fileURLToPath(import.meta.resolve('@starling/simulator/job-process'));
/** What jobs that simulate run on a cluster, beside the Python sources. */
export const simulator = fileURLToPath(import.meta.resolve('@starling/simulator/ray-program'));
/** What jobs in Python import. */
export const pythonSources = fileURLToPath(new URL('../../cluster/src', import.meta.url));

/** Jobs run beside the server with our own engine; with a Python also with PyTorch and MindSpore, and on a Ray cluster. */
export function cloudOptions(flags: CloudFlags): CloudOptions {
  const { python, ray, rayPython, rayNode, rayInsecure } = flags;
  const inPython = python === undefined ? [] : [python, '-m', 'starling_cluster.job'];
  const local = new LocalBackend({
    programs: {
      embedded: [process.execPath, embeddedProgram],
      ...(python === undefined ? {} : { torch: inPython, mindspore: inPython }),
    },
    environment: { PYTHONPATH: pythonSources },
  });
  if (ray === undefined) return { backends: [local], dataSets: flags.dataSet };
  const token = process.env['STARLING_RAY_TOKEN'];
  const cluster = new RayBackend({
    url: ray,
    sources: pythonSources,
    ...(token === undefined ? {} : { token }),
    simulator,
    ...(rayPython === undefined ? {} : { python: rayPython }),
    ...(rayNode === undefined ? {} : { node: rayNode }),
    ...(rayInsecure === undefined ? {} : { insecure: rayInsecure }),
  });
  return { backends: [local, cluster], dataSets: flags.dataSet };
}
