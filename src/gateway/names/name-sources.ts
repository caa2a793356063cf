import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';

/** One address with the seconds for which it may be kept. */
export interface AddressRecord {
  readonly address: string;
  readonly ttl: number;
}

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  /** The target. */
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Where addresses come from. */
export interface NameSources {
  /** The text of the hosts file; empty when there is none. Never rejects. */
  readHosts(): Promise<string>;
  /** The text of resolv.conf; empty when there is none. Never rejects. */
  readResolverSettings(): Promise<string>;
  /** A records. Rejects with an error whose `code` is `ENOTFOUND` or `ENODATA` when there are none, with another when that cannot be told. */
  resolve4(name: string): Promise<readonly AddressRecord[]>;
  /** AAAA records, in the same way. */
  resolve6(name: string): Promise<readonly AddressRecord[]>;
}

/** Where this machine finds names, and services too. */
export interface SystemNameSources extends NameSources {
  /** SRV records, in the same way. */
  resolveSrv(name: string): Promise<readonly ServiceRecord[]>;
}

const QUERY_TIMEOUT_MS = 2000;
const QUERY_TRIES = 2;

/** This machine's hosts file and name servers. The servers are read anew when resolv.conf has changed. */
export function systemNameSources(): SystemNameSources {
  let settings = '';
  let resolver = makeResolver();
  return {
    readHosts: () => readText('/etc/hosts'),
    readResolverSettings: async () => {
      const text = await readText('/etc/resolv.conf');
      if (text !== settings) resolver = makeResolver();
      settings = text;
      return text;
    },
    resolve4: (name) => resolver.resolve4(name, { ttl: true }),
    resolve6: (name) => resolver.resolve6(name, { ttl: true }),
    resolveSrv: (name) => resolver.resolveSrv(name),
  };
}

function makeResolver(): Resolver {
  return new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // Absent in a minimal container; names then come from the servers alone.
    return '';
  }
}
