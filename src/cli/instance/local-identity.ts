import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { chownSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { StartError } from '../../errors/index.ts';
import type { InstanceIdentity } from '../../gateway/index.ts';
import type { JsonValue } from '../../lib/json.ts';
import type { RunAs } from '../../supervisor/index.ts';

/** An instance's identity with the time at which its certificate ends. */
export interface DatedIdentity extends InstanceIdentity {
  readonly expiresAtMs: number;
}

/** Asks the control plane for a certificate. */
export type IssueCertificate = (request: {
  readonly groupId: string;
  readonly instanceId: string;
  readonly publicKey: string;
}) => Promise<JsonValue>;

/** Certificates are renewed when less than this is left. */
export const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

/**
 * Reads an identity file.
 *
 * @returns undefined when there is none. @throws StartError when it is damaged.
 */
export function readIdentity(file: string): DatedIdentity | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartError(`The identity file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  try {
    return parseIdentity(JSON.parse(content));
  } catch {
    throw new StartError(`The identity file ${file} is damaged: make a new one with portcullis instance create.`);
  }
}

/** Makes a key pair here, has its public half certified and keeps both in `file` (0600). The private key never leaves this machine. */
export async function obtainIdentity(
  request: { readonly file: string; readonly groupId: string; readonly instanceId?: string; readonly owner: RunAs | undefined },
  issue: IssueCertificate,
): Promise<DatedIdentity> {
  const { publicKey, privateKey } = makeKeys();
  const instanceId = request.instanceId ?? randomUUID();
  const issued = await issue({ groupId: request.groupId, instanceId, publicKey });
  const answer = typeof issued === 'object' && issued !== null ? issued : {};
  const identity = parseIdentity({ ...answer, groupId: request.groupId, instanceId, privateKey });
  keepPrivately(request.file, identity, request.owner);
  return identity;
}

/** A key pair for an instance, PEM: EC P-256. */
export function makeKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

/** Writes JSON to a file of mode 0600 that is there as a whole or not at all. */
export function keepPrivately(file: string, value: object, owner: RunAs | undefined): void {
  const temporary = `${file}.new`;
  // One that was left behind would keep its mode.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600, flush: true });
  if (owner !== undefined) chownSync(temporary, owner.uid, owner.gid);
  renameSync(temporary, file);
}

/** @throws Error for what is no identity */
export function parseIdentity(value: unknown): DatedIdentity {
  const fields = new Map<string, unknown>(Object.entries(typeof value === 'object' && value !== null ? value : {}));
  const text = (name: string): string => {
    const field = fields.get(name);
    if (typeof field !== 'string' || field === '') throw new Error(`an identity needs ${name}`);
    return field;
  };
  const expiresAtMs = fields.get('expiresAtMs');
  if (typeof expiresAtMs !== 'number') throw new Error('an identity needs expiresAtMs');
  return {
    instanceId: text('instanceId'),
    groupId: text('groupId'),
    certificate: text('certificate'),
    privateKey: text('privateKey'),
    authority: text('authority'),
    expiresAtMs,
  };
}
