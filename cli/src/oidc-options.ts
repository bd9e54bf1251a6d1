import { readFile } from 'node:fs/promises';
import type { OidcOptions } from '@starling/server';
import type { Command } from 'commander';

/** Options that say where people sign in. */
export interface OidcFlags {
  oidcIssuer?: string;
  oidcClientId?: string;
  oidcClientSecretFile?: string;
  oidcAdmin?: string;
}

export function addOidcOptions(command: Command): Command {
  const { env } = process;
  return command
    .option('--oidc-issuer <url>', 'the OpenID provider at which people sign in', env['STARLING_OIDC_ISSUER'])
    .option('--oidc-client-id <id>', 'as what it knows this server', env['STARLING_OIDC_CLIENT_ID'])
    .option(
      '--oidc-client-secret-file <file>',
      'a file that holds the client secret (or the secret itself in STARLING_OIDC_CLIENT_SECRET)',
      env['STARLING_OIDC_CLIENT_SECRET_FILE'],
    )
    .option(
      '--oidc-admin <email>',
      'whoever signs in with this verified address is an admin of the oldest project',
      env['STARLING_OIDC_ADMIN'],
    );
}

/** The provider that the options name, if they name one. Throws an Error that says what is missing. */
export async function oidcOptions(flags: OidcFlags): Promise<OidcOptions | undefined> {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecretFile: file, oidcAdmin: admin } = flags;
  if (issuer === undefined) return undefined;
  const secret =
    file === undefined ? process.env['STARLING_OIDC_CLIENT_SECRET'] : (await readFile(file, 'utf8')).trim();
  if (clientId === undefined || secret === undefined || secret === '') {
    throw new Error('--oidc-issuer needs --oidc-client-id and --oidc-client-secret-file.');
  }
  return { issuer, clientId, clientSecret: secret, ...(admin !== undefined && { admin }) };
}
