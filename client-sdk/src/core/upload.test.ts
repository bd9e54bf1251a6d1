import { ProblemError, sha256 } from '@starling/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { DeviceError } from './errors.ts';
import { Requests } from './requests.ts';
import { Session } from './session.ts';
import { fakeHost } from './testing/fake-host.ts';
import { FakeServer } from './testing/fake-server.ts';
import { tinyAssignment } from './testing/tiny-assignment.ts';
import { partBytes, uploadUpdate } from './upload.ts';

const { id } = tinyAssignment();
const update = Uint8Array.from({ length: 2 * partBytes + 100 }, (_, i) => (i * 31) % 251);

let server: FakeServer;
let upload: () => ReturnType<typeof uploadUpdate>;

beforeEach(() => {
  server = new FakeServer();
  server.offer(tinyAssignment({ state: 'grouped' }));
  server.uploads.expect(sha256(update), update.length);
  const host = fakeHost(server);
  const options = { server: server.url, enrolmentToken: 'the-token', labels: {} };
  const session = new Session(host, new Requests(host.http, server.url), options);
  upload = () => uploadUpdate(session, id, update);
});

describe('uploadUpdate', () => {
  it('sends parts of a mebibyte, and the digest with the last', async () => {
    expect(await upload()).toEqual({ offset: update.length, state: 'uploaded' });
    expect(server.uploads.parts).toEqual([partBytes, partBytes, 100]);
    expect(sha256(server.uploads.held)).toBe(sha256(update));
  });

  it('goes on where the server stands', async () => {
    server.uploads.held = update.slice(0, 1000);
    await upload();
    expect(server.uploads.parts).toEqual([partBytes, partBytes - 900]);
  });

  it('goes on after a part whose reply was lost, without sending it again', async () => {
    server.failNext(/PATCH/, new DeviceError('offline', 'lost'), 'after');
    await expect(upload()).rejects.toMatchObject({ code: 'offline' });
    await upload();
    expect(server.uploads.parts).toEqual([partBytes, partBytes, 100]);
  });

  it('gets the same answer for an upload that is complete', async () => {
    const first = await upload();
    expect(await upload()).toEqual(first);
    expect(sha256(server.uploads.held)).toBe(sha256(update));
  });

  it('continues at the offset that a mismatch names', async () => {
    server.failNext(/PATCH/, new ProblemError('upload-offset-mismatch', 'elsewhere', { offset: 0 }));
    await upload();
    expect(server.assignment?.state).toBe('uploaded');
  });

  it('does not follow a server that names one offset after another', async () => {
    for (let times = 0; times < 6; times++) {
      server.failNext(/PATCH/, new ProblemError('upload-offset-mismatch', 'elsewhere', { offset: times }));
    }
    await expect(upload()).rejects.toMatchObject({ code: 'upload-offset-mismatch' });
    expect(server.calls.filter((call) => call.startsWith('PATCH'))).toHaveLength(6);
  });

  it('does not go beyond its own end', async () => {
    server.failNext(
      /PATCH/,
      new ProblemError('upload-offset-mismatch', 'elsewhere', { offset: update.length + 1 }),
    );
    await expect(upload()).rejects.toMatchObject({ code: 'upload-offset-mismatch' });
  });
});
