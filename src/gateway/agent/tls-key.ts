import type { TlsItemKind } from '../../schema/index.ts';
import type { CompiledKind } from './read-item.ts';

const KINDS: ReadonlySet<string> = new Set<TlsItemKind>(['ssl', 'sni', 'certificate', 'ca_certificate']);
/** Stands in no id. */
const SEPARATOR = '/';

export function isTlsKind(kind: CompiledKind): kind is TlsItemKind {
  return KINDS.has(kind);
}

/** One text for a certificate or a host: their kinds have ids of their own. */
export function tlsKey(kind: TlsItemKind, id: string): string {
  return `${kind}${SEPARATOR}${id}`;
}

/** What `tlsKey` was given. */
export function namesOfTlsKey(key: string): { readonly kind: TlsItemKind; readonly id: string } {
  const [kind = '', id = ''] = key.split(SEPARATOR);
  // The compiler does not see that `tlsKey` made it.
  return { kind: kind as TlsItemKind, id };
}
