import type { JsonObject } from '../lib/json.ts';
import { isJsonObject } from './copy-document.ts';
import type { Issue } from './issue.ts';
import { checkCertificatePair } from './read-certificate.ts';
import { Type } from './schema-builder.ts';
import { isSecretReference } from './secret-reference.ts';
import type { CertificatePair } from './tls-item.ts';
import type { UpstreamDocument } from './upstream.ts';

/** The object `tls` of an upstream, which `checkUpstreamTls` looks into: clients read no defaults out of it. */
export const upstreamTlsField = Type.Unsafe<{
  readonly client_cert?: string;
  readonly client_key?: string;
  readonly client_cert_id?: string;
  readonly verify?: boolean;
}>({ type: 'object' });

const TEXT_FIELDS = ['client_cert', 'client_key', 'client_cert_id'] as const;

/** How an upstream is spoken to over TLS. */
export interface UpstreamTlsSettings {
  /** HTTP is spoken inside, and agreed on; otherwise nothing is. */
  readonly isHttp: boolean;
  /** Undefined: as the instance says. */
  readonly verifies: boolean | undefined;
  /** By which the gateway is known to it. */
  readonly pair: CertificatePair | undefined;
  /** The same in an object of its own: one that holds a pair. */
  readonly pairOf: { readonly kind: 'certificate' | 'ssl'; readonly id: string } | undefined;
  /** Ids of the CA objects that certify it; none: the usual authorities. */
  readonly authorityIds: readonly string[];
}

type TlsFields = Pick<UpstreamDocument, 'scheme' | 'tls' | 'client_certificate' | 'ca_certificates' | 'tls_verify'>;

/** Undefined where it is spoken to in clear. */
export function readUpstreamTls({ scheme, tls = {}, ...upstream }: TlsFields): UpstreamTlsSettings | undefined {
  if (scheme !== 'https' && scheme !== 'grpcs' && scheme !== 'tls') return undefined;
  const { client_cert: cert, client_key: key, client_cert_id: sslId, verify } = tls;
  const { client_certificate: certificateId } = upstream;
  return {
    isHttp: scheme !== 'tls',
    verifies: upstream.tls_verify ?? verify,
    pair: cert === undefined || key === undefined ? undefined : { cert, key },
    pairOf:
      certificateId !== undefined
        ? { kind: 'certificate', id: certificateId }
        : sslId === undefined
          ? undefined
          : { kind: 'ssl', id: sslId },
    authorityIds: upstream.ca_certificates ?? [],
  };
}

/** What the schema cannot say: a certificate has its key, and there is one of them. Pointers are relative to the upstream. */
export function checkUpstreamTls({ tls = {}, client_certificate: certificateId }: TlsFields): readonly Issue[] {
  const { client_cert: cert, client_key: key, client_cert_id: sslId } = tls;
  const malformed = [
    ...TEXT_FIELDS.filter((name) => tls[name] !== undefined && typeof tls[name] !== 'string').map((name) =>
      issue(name, 'value must be a string'),
    ),
    ...(tls.verify === undefined || typeof tls.verify === 'boolean' ? [] : [issue('verify', 'value must be a boolean')]),
  ];
  if (malformed.length > 0) return malformed;
  if ((cert !== undefined || key !== undefined) && (sslId !== undefined || certificateId !== undefined))
    return [{ pointer: '/tls/client_cert', message: 'there is another client certificate' }];
  if (cert === undefined && key === undefined) return [];
  if (cert === undefined) return [{ pointer: '/tls/client_cert', message: 'property "client_cert" is missing' }];
  if (key === undefined) return [{ pointer: '/tls/client_key', message: 'property "client_key" is missing' }];
  return checkCertificatePair({ text: cert, pointer: '/tls/client_cert' }, { text: key, pointer: '/tls/client_key' });
}

function issue(name: string, message: string): Issue {
  return { pointer: `/tls/${name}`, message };
}

export function warningsForUpstreamTls(upstream: TlsFields): readonly string[] {
  const settings = readUpstreamTls(upstream);
  if (settings === undefined) return [];
  const warnings: string[] = [];
  if (settings.verifies === undefined)
    warnings.push('the certificate of the upstream is not verified: set tls_verify to true, or to false where that is meant');
  if (settings.verifies !== true && settings.authorityIds.length > 0) warnings.push('ca_certificates are used where tls_verify is true');
  return warnings;
}

/** The pointer of the private key in an upstream, relative to it; a reference to one is no secret. */
export function secretPointersOfUpstream({ tls }: JsonObject): readonly string[] {
  const key = isJsonObject(tls) ? tls.client_key : undefined;
  return typeof key === 'string' && !isSecretReference(key) ? ['/tls/client_key'] : [];
}

/** An upstream as answers show it: without its private key. */
export function withoutUpstreamKey(upstream: JsonObject): JsonObject {
  const { tls } = upstream;
  if (!isJsonObject(tls) || secretPointersOfUpstream(upstream).length === 0) return upstream;
  return { ...upstream, tls: Object.fromEntries(Object.entries(tls).filter(([name]) => name !== 'client_key')) };
}
