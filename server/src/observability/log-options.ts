import type { FastifyRequest, FastifyServerOptions } from 'fastify';

/** Members of what is logged that would give someone away, wherever they turn up near the top. */
const secretNames = [
  ...['authorization', 'cookie', 'set-cookie', 'password', 'secret', 'token', 'key', 'enrolmentToken'],
  ...['proof', 'signature', 'seed', 'headers', 'body', 'remoteAddress', 'ip'],
];

/** How the server logs: JSON lines that hold no credential, no address of a device and no content of a request. */
export function logOptions(level: string): Exclude<FastifyServerOptions['logger'], boolean | undefined> {
  return {
    level,
    redact: {
      paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]),
      censor: '[redacted]',
    },
    serializers: {
      req: ({ method, routeOptions }: FastifyRequest) => ({ method, route: routeOptions.url ?? 'none' }),
      res: ({ statusCode }: { statusCode?: number }) => (statusCode === undefined ? {} : { statusCode }),
      err: errorFields,
      error: (error: unknown) => (error instanceof Error ? errorFields(error) : error),
    },
  };
}

/** Errors as they are logged: what they say is in no field that JSON shows. */
function errorFields(error: Error) {
  const { name: type, message, stack = '' } = error;
  return { type, message, stack, ...('code' in error && { code: error.code }) };
}
