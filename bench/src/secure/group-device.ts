import { createHash } from 'node:crypto';
import { fromBase64Url, type Assignment, type CheckInAnswer, type GroupMail } from '@starling/protocol';
import type { ClientMessage } from '@starling/secure';
import { HttpDevice } from '../http-device.ts';

/** A device that takes part in secure groups. */
export class GroupDevice extends HttpDevice {
  async assignment(): Promise<Assignment | null> {
    return (await this.send<CheckInAnswer>('GET', '/v1/device/assignment')).assignment;
  }

  async say(id: string, action: 'accept' | 'begin' | 'ready'): Promise<void> {
    await this.send('POST', `/v1/device/assignments/${id}/${action}`);
  }

  async mail(group: string): Promise<Omit<GroupMail, 'messages'> & { messages: Uint8Array[] }> {
    const mail = await this.send<GroupMail>('GET', `/v1/device/groups/${group}`);
    return { ...mail, messages: mail.messages.map(fromBase64Url) };
  }

  async answer(group: string, assignment: string, { bytes, body }: ClientMessage): Promise<void> {
    await this.send('POST', `/v1/device/groups/${group}/messages`, bytes, {
      'content-type': 'application/octet-stream',
    });
    if (!body) return;
    const digest = createHash('sha256').update(body).digest('base64');
    await this.send('PATCH', `/v1/device/assignments/${assignment}/update`, body, {
      ...{ 'content-type': 'application/offset+octet-stream', 'upload-offset': '0', 'upload-complete': '?1' },
      'repr-digest': `sha-256=:${digest}:`,
    });
  }
}
