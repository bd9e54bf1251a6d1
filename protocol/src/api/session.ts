import { Type, type Static } from 'typebox';
import { ids } from '../schemas/resources.ts';
import { Project, RoleSchema } from './access.ts';
import { closed, Instant } from './common.ts';

/** A session of a browser. Its cookie is the credential: no script can read it. */
export const BrowserSession = Type.Object({
  role: RoleSchema,
  project: Project,
  name: Type.String({ description: 'Of the API key or the person that signed in.' }),
  csrf: Type.String({
    description: 'Goes into the header `x-starling-csrf` of each request by cookie that changes something.',
  }),
  expiresAt: Type.Unsafe<string>({
    ...Instant,
    description: 'When the session ends at the latest; without a request for an hour it ends before.',
  }),
});
export type BrowserSession = Static<typeof BrowserSession>;

export const SignInRequest = Type.Object({ key: Type.String({ minLength: 1, maxLength: 128 }) }, closed);
export type SignInRequest = Static<typeof SignInRequest>;

/** What a page may know before anyone signs in. */
export const SignInWays = Type.Object({
  oidc: Type.Boolean({ description: 'Whether people sign in at a provider: GET /v1/session/oidc/start.' }),
});
export type SignInWays = Static<typeof SignInWays>;

export const ProjectChoice = Type.Object({ project: ids.project }, closed);
export type ProjectChoice = Static<typeof ProjectChoice>;
