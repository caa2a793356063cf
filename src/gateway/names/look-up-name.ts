import { isIPv4, isIPv6 } from 'node:net';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { AddressRecord, NameSources } from './name-sources.ts';
import { namesToAsk, type SearchSettings } from './search-list.ts';

/** What the machine's files say of names. */
export interface NameFiles {
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly search: SearchSettings;
}

/** Addresses found, IPv4 before IPv6, each family sorted, so that a server that rotates its answers changes nothing. */
export interface FoundAddresses {
  readonly addresses: readonly string[];
  /** Undefined: they hold until the files change. */
  readonly ttlSeconds: number | undefined;
}

const LOOPBACK = ['127.0.0.1', '::1'];

/** The name is not known to any source; trying again soon may still help, when it has just been made. */
class NameNotFound extends Error {}

/**
 * Asks the hosts file, then the servers for A and AAAA under each name of the search list, until one has addresses.
 * `localhost` and what ends in it never goes to a server (RFC 6761 §6.3). When a server fails for one of the families, the
 * addresses of that family in `lastGood` are kept. @throws NameNotFound, or the server's failure
 */
export async function lookUpName(
  name: string,
  files: NameFiles,
  sources: NameSources,
  lastGood: readonly string[],
): Promise<FoundAddresses> {
  const plain = name.toLowerCase().replace(/\.$/, '');
  const listed = files.hosts.get(plain);
  if (listed !== undefined) return { addresses: inOrder(listed), ttlSeconds: undefined };
  if (plain === 'localhost' || plain.endsWith('.localhost')) return { addresses: LOOPBACK, ttlSeconds: undefined };
  for (const asked of namesToAsk(name.toLowerCase(), files.search)) {
    const [four, six] = await Promise.all([ask(() => sources.resolve4(asked)), ask(() => sources.resolve6(asked))]);
    const records = [...four.records, ...six.records];
    const failure = four.failure ?? six.failure;
    // What is under the next domain is another machine, so a server that fails here does not lead there.
    if (records.length === 0 && failure !== undefined) throw failure;
    if (records.length === 0) continue;
    const kept = [
      ...(four.failure === undefined ? [] : lastGood.filter(isIPv4)),
      ...(six.failure === undefined ? [] : lastGood.filter(isIPv6)),
    ];
    return {
      addresses: inOrder([...records.map(({ address }) => address), ...kept]),
      ttlSeconds: Math.min(...records.map(({ ttl }) => ttl)),
    };
  }
  throw new NameNotFound(`no address is known for ${name}`);
}

interface FamilyAnswer {
  readonly records: readonly AddressRecord[];
  /** Set when it could not be told whether there are records. */
  readonly failure: unknown;
}

async function ask(query: () => Promise<readonly AddressRecord[]>): Promise<FamilyAnswer> {
  try {
    return { records: await query(), failure: undefined };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return { records: [], failure: code === 'ENOTFOUND' || code === 'ENODATA' ? undefined : error };
  }
}

function inOrder(addresses: readonly string[]): readonly string[] {
  const canonical = new Set(addresses.flatMap((address) => canonicalAddress(address) ?? []));
  const sorted = [...canonical].sort();
  return [...sorted.filter(isIPv4), ...sorted.filter(isIPv6)];
}
