/** The program of a simulation on a cluster, bundled into one file: `coordinate --config job.json`, or `work`. */
const [, , role] = process.argv;

if (role === 'work') await import('./worker-process.ts');
else if (role === 'coordinate') await import('./coordinator-process.ts');
else throw new TypeError('Expected "coordinate" or "work".');
