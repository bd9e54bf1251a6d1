/* global document, location */
/** A real device in a tab. The test gives its updates, and sees each request to the server before and after. */
import { browserHost, createDevice } from '/sdk/starling.js';

const { knownUpdate, onRequest, onError } = globalThis; // the test's
const host = browserHost();
const device = createDevice({
  server: location.origin,
  enrolmentToken: new URL(location.href).searchParams.get('token'),
  examples: () => Promise.resolve({ x: new Float32Array(20), y: new Int32Array(5), count: 5 }),
  host: {
    ...host,
    http: async (request) => {
      const path = new URL(request.url).pathname;
      const body = [...(request.body ?? [])];
      await onRequest('before', path, body);
      const answer = await host.http(request);
      await onRequest('after', path, body);
      return answer;
    },
    trainer: {
      run: async (job) => ({ bytes: Uint8Array.from(await knownUpdate(job.assignment)) }),
      close: () => Promise.resolve(),
    },
  },
});
device.on('status', (status) => {
  document.body.dataset.status = status;
});
device.on('error', (error) => onError(error.code ?? error.name));
await device.start();
