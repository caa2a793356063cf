import { readFileSync } from 'node:fs';
import { StartError } from '../../errors/index.ts';
import { messageOf } from '../../lib/message-of.ts';
import type { Configuration, SecretSettings } from '../configuration/index.ts';

/**
 * The join token that a gateway was given; undefined where none was.
 *
 * @throws StartError when its file cannot be read, and for two
 */
export function readJoinToken(given: {
  readonly configuration: Pick<Configuration, 'joinTokenFile'>;
  readonly secrets: Pick<SecretSettings, 'joinToken'>;
}): string | undefined {
  const { joinTokenFile } = given.configuration;
  const { joinToken } = given.secrets;
  if (joinToken !== undefined && joinTokenFile !== undefined) {
    throw new StartError('Set PORTCULLIS_JOIN_TOKEN or --join-token-file (PORTCULLIS_JOIN_TOKEN_FILE), not both.');
  }
  if (joinToken !== undefined) return joinToken;
  if (joinTokenFile !== undefined) return readToken(joinTokenFile);
  return undefined;
}

/** @throws StartError always: a gateway without identity, join token and snapshot can do nothing */
export function refuseWithoutIdentity({ identityFile }: Pick<Configuration, 'identityFile'>): never {
  if (identityFile !== undefined) throw new StartError(`The identity file ${identityFile} does not exist: correct --identity-file.`);
  throw new StartError(
    'A gateway needs an identity: make a join token with POST /api/gateway_groups/GROUP/instance_token of the Admin API and name its file with --join-token-file, or run portcullis instance create --identity-file FILE beside the control plane, bring the file here and name it with --identity-file.',
  );
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`The file with the join token cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
