import type { JsonObject } from '../lib/json.ts';
import { isJsonObject } from './copy-document.ts';

/** A certificate with the chain behind it, and its key. PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** Which clients a TLS host lets in. */
export interface ClientRules {
  /** PEM of the authorities that are believed. */
  readonly authority: string;
  /** Further ones: ids of CA objects. */
  readonly authorityIds: readonly string[];
  /** Most certificates between a client's and an authority's. */
  readonly depth: number;
  /** Paths that need no certificate: regular expressions. */
  readonly skippedPaths: readonly string[];
}

/** What gateways make of an SSL, SNI, certificate or CA object. */
export type TlsItem =
  | {
      readonly kind: 'host';
      /** In lower case; `*` at the beginning stands for one label. */
      readonly names: readonly string[];
      readonly pairs: readonly CertificatePair[];
      /** Further ones: ids of certificate objects. */
      readonly certificateIds: readonly string[];
      readonly minVersion: TlsVersion;
      readonly maxVersion: TlsVersion;
      readonly client: ClientRules | undefined;
    }
  /** By which gateways are known to upstreams, or one that hosts are served with. */
  | { readonly kind: 'pair'; readonly pair: CertificatePair }
  | { readonly kind: 'authority'; readonly cert: string }
  /** Switched off, or nothing that could be used. */
  | { readonly kind: 'unused' };

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** The kinds of resources that `readTlsItem` reads. */
export type TlsItemKind = 'ssl' | 'sni' | 'certificate' | 'ca_certificate';

const OFFERED: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3'];
const UNUSED: TlsItem = { kind: 'unused' };

/** Reads a stored object of one of these kinds; what its schema has accepted is taken as it is. */
export function readTlsItem(kind: TlsItemKind, value: JsonObject): TlsItem {
  switch (kind) {
    case 'ssl':
      return readSsl(value);
    case 'sni':
      return readSni(value);
    case 'certificate':
      return { kind: 'pair', pair: { cert: textOf(value.cert), key: textOf(value.key) } };
    case 'ca_certificate':
      return { kind: 'authority', cert: textOf(value.cert) };
  }
}

function readSsl(value: JsonObject): TlsItem {
  if (value.status === 0) return UNUSED;
  const certs = [value.cert, ...listOf(value.certs)].filter((text) => typeof text === 'string');
  const keys = [value.key, ...listOf(value.keys)].filter((text) => typeof text === 'string');
  const pairs = certs.map((cert, index) => ({ cert, key: keys[index] ?? '' }));
  const [first] = pairs;
  if (value.type === 'client') return first === undefined ? UNUSED : { kind: 'pair', pair: first };
  return {
    kind: 'host',
    names: textsOf(value.snis).map(nameOf),
    pairs,
    certificateIds: [],
    ...versionsOf(textsOf(value.ssl_protocols)),
    client: isJsonObject(value.client) ? readClientRules(value.client) : undefined,
  };
}

function readSni(value: JsonObject): TlsItem {
  const certificateIds = textsOf(value.certificates);
  if (certificateIds.length === 0) return UNUSED;
  return {
    kind: 'host',
    names: [nameOf(textOf(value.domain))],
    pairs: [],
    certificateIds,
    ...versionsOf([]),
    client: isJsonObject(value.mtls) ? readClientRules(value.mtls) : undefined,
  };
}

function readClientRules(value: JsonObject): ClientRules {
  return {
    authority: textOf(value.ca),
    authorityIds: textsOf(value.ca_certificates),
    depth: typeof value.depth === 'number' ? value.depth : 1,
    skippedPaths: textsOf(value.skip_mtls_uri_regex),
  };
}

/** The offered versions among those named, or all; TLS 1.1 is offered to nobody (RFC 8996). */
function versionsOf(named: readonly string[]): { readonly minVersion: TlsVersion; readonly maxVersion: TlsVersion } {
  const chosen = OFFERED.filter((version) => named.includes(version));
  return { minVersion: chosen[0] ?? 'TLSv1.2', maxVersion: chosen.at(-1) ?? 'TLSv1.3' };
}

function nameOf(text: string): string {
  const name = text.toLowerCase();
  return name.length > 1 && name.endsWith('.') ? name.slice(0, -1) : name;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((text) => typeof text === 'string');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
