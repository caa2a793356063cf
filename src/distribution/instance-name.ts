import type { X509Certificate } from 'node:crypto';

/** What a certificate says about a gateway instance. */
export interface InstanceName {
  readonly groupId: string;
  readonly instanceId: string;
}

/** A certificate of an instance holds exactly one subject alternative name, and it is this URI. */
const INSTANCE_URI = /^URI:portcullis:\/\/group\/([A-Za-z0-9._~%-]+)\/instance\/([A-Za-z0-9._~%-]+)$/;

/**
 * The URI `portcullis://group/<group>/instance/<instance>`, both parts percent-encoded.
 * @throws Error when a part is empty or no valid Unicode text
 */
export function formatInstanceUri(name: InstanceName): string {
  return `portcullis://group/${encodePart(name.groupId)}/instance/${encodePart(name.instanceId)}`;
}

/**
 * Group and instance of a peer, from its verified certificate. There is one spelling for each name: two certificates that compare
 * different never give the same name.
 *
 * @throws Error when the certificate is not one of an instance
 */
export function readInstanceName(certificate: Pick<X509Certificate, 'subjectAltName'>): InstanceName {
  const match = INSTANCE_URI.exec(certificate.subjectAltName ?? '');
  const [, group, instance] = match ?? [];
  if (group === undefined || instance === undefined) throw new Error('the certificate names no gateway instance');
  return { groupId: decodePart(group), instanceId: decodePart(instance) };
}

function encodePart(text: string): string {
  if (text === '' || !text.isWellFormed()) throw new Error('a group and an instance need a name of valid text');
  // What encodeURIComponent leaves of the sub-delimiters of RFC 3986, so that only unreserved characters stay.
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decodePart(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    throw new Error('the instance name in the certificate is broken');
  }
  if (encodePart(text) !== encoded) throw new Error('the instance name in the certificate is not in its one spelling');
  return text;
}
