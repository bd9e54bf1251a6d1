import type { Assignment, AssignmentId, ControlMessage } from '@starling/protocol';
import { isTransient, wantsNewSession } from './errors.ts';
import type { Line } from './line.ts';
import { jsonBody, readAnswer } from './requests.ts';
import type { Session } from './session.ts';

/**
 * Says something of an assignment: over the live connection when there is one, else (or when no acknowledgement came)
 * over HTTP. Every message may be said again; the answer is the assignment as the server has it. Throws ProblemError.
 */
export async function say(
  { line, session }: { line: Line; session: Session },
  id: AssignmentId,
  message: ControlMessage,
  signal: AbortSignal,
): Promise<Assignment> {
  const { token } = line;
  if (token !== undefined) {
    try {
      return await line.control(id, message);
    } catch (error) {
      if (wantsNewSession(error)) {
        session.expire(token);
        line.close();
      } else if (!isTransient(error)) throw error;
    }
  }
  const { action, ...fields } = message;
  const body = Object.keys(fields).length > 0 ? fields : undefined;
  const path = `/v1/device/assignments/${id}/${action}`;
  const answer = await session.send({ path, method: 'POST', ...jsonBody(body), signal });
  return readAnswer<{ assignment: Assignment }>(answer, ['assignment']).assignment;
}
