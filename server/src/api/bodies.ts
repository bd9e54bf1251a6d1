import { ProblemError } from '@starling/protocol';
import type { Api } from './http.ts';

/** No body of the API nests deeper than a plan or an IR; what walks a JSON value calls itself once a level. */
const mostLevels = 64;

/** How long the body of a request may take that is no upload; uploads are resumed, and have the server's own limit. */
const bodyPatienceMs = 20_000;

/**
 * What is refused of every body before it is read: an encoding (nothing here decompresses, so nothing can blow up), JSON
 * that nests too deep or names a prototype, and a body that does not come to its end.
 */
export function addBodyRules(api: Api, uploadType: string): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.removeContentTypeParser('application/json');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body as string; // by `parseAs`
    if (levelsOf(text) > mostLevels) {
      done(new ProblemError('invalid-request', `The body nests more than ${mostLevels} levels deep.`));
      return;
    }
    void parse(request, text, done);
  });
  api.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      done(
        new ProblemError(
          'unsupported-media-type',
          `Content-Encoding "${encoding}" is not accepted: send the body as it is.`,
        ),
      );
      return;
    }
    if (request.headers['content-type'] !== uploadType) limitBody(request.raw);
    done();
  });
}

function limitBody(request: {
  complete: boolean;
  destroy(): unknown;
  once(event: string, end: () => void): unknown;
}): void {
  if (request.complete) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy(); // an answer may take longer: a download, a stream of events
  }, bodyPatienceMs);
  const end = () => {
    clearTimeout(timer);
  };
  request.once('end', end);
  request.once('close', end);
}

/** How deep the brackets outside of strings nest. */
export function levelsOf(json: string): number {
  let [level, most] = [0, 0];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++;
    } else if (character === '[' || character === '{') {
      most = Math.max(most, ++level);
    } else if (character === ']' || character === '}') {
      level--;
    }
  }
  return most;
}
