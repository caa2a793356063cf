import type { ClientTls } from '../../engine/index.ts';
import type { ErrorReason } from '../../errors/index.ts';
import type { ClientPolicy } from './client-policy.ts';
import { TlsHost } from './tls-host.ts';

/** The readings of a request's path. */
export interface RequestPaths {
  readonly path: string;
  /** With encoded separators read as such, where there are any. */
  readonly separatorPath: string | undefined;
}

/**
 * Why a request is refused by what its client's handshake has shown; to be asked for each request of a connection, whatever the protocol
 * inside. `wanted` is the policy of the TLS host that the request's own host belongs to, as it is in force now; its paths are
 * normalised, and empty where they cannot be read.
 *
 * Whoever asks for a host with a policy must have made the handshake for that host under that policy: a client could else show its
 * certificate, or none, to one host and be let in at another.
 */
export function clientRefusal(tls: ClientTls, wanted: ClientPolicy | undefined, paths: RequestPaths): ErrorReason | undefined {
  const shown = clientPolicyOf(tls);
  if (wanted !== undefined && wanted.fingerprint !== shown?.fingerprint) return 'misdirected_request';
  return shown?.refusal(tls, paths.separatorPath === undefined ? [paths.path] : [paths.path, paths.separatorPath]);
}

/** The policy that a connection's handshake was made under. */
export function clientPolicyOf({ policy }: ClientTls): ClientPolicy | undefined {
  return policy instanceof TlsHost ? policy.client : undefined;
}
