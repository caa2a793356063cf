import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import { formatIPv4, parseIPv6 } from '../../lib/ip-address.ts';

/** What an instance's operator says of addresses. */
export interface DialSettings {
  /** Addresses or CIDR blocks to open although they are denied by default. */
  readonly allow: readonly string[];
  /** Addresses or CIDR blocks to deny in addition; wins over `allow`. */
  readonly deny: readonly string[];
}

/** What the address policy is made from. */
export interface DialPolicyOptions extends DialSettings {
  /** Ports of the product's own sockets: never dialled on this machine, whatever `allow` says. */
  readonly protectedPorts: readonly number[];
  /** Addresses of this machine's interfaces; the system's when absent. */
  readonly localAddresses?: () => readonly string[];
}

/** Whether a connection to this resolved address and port may be opened. What is no address may not. */
export type DialPolicy = (address: string, port: number) => boolean;

/**
 * Link-local addresses, and those at which clouds hand out credentials of the machine to whoever asks from inside:
 * 169.254.169.254 and fd00:ec2::254 (AWS, Azure, Google, Oracle …), fd20:ce::254 (Google), 100.100.100.200 (Alibaba),
 * 168.63.129.16 (Azure's wire server), 192.0.0.192 (Oracle's older service).
 */
const DENIED_BY_DEFAULT = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
];

/** Addresses that mean this machine wherever they are used; connecting to the unspecified address reaches loopback. */
const THIS_MACHINE = ['127.0.0.0/8', '::1', '0.0.0.0/8', '::'];

/**
 * Makes the one address policy that every outgoing connection passes, on the address that a name resolved to, so that no name
 * can lead where its address may not. IPv6 forms that carry an IPv4 address are judged by that address as well.
 * @throws RangeError for an entry of `allow` or `deny` that is no address and no block
 */
export function createDialPolicy(options: DialPolicyOptions): DialPolicy {
  const protectedPorts = new Set(options.protectedPorts);
  const allowed = blockListOf(options.allow);
  const denied = blockListOf(options.deny);
  const deniedByDefault = blockListOf(DENIED_BY_DEFAULT);
  const thisMachine = blockListOf(THIS_MACHINE);
  const localAddresses = options.localAddresses ?? addressesOfInterfaces;
  const isLocal = (address: string) => isIn(thisMachine, address) || localAddresses().some((local) => canonicalAddress(local) === address);

  return (address, port) => {
    const canonical = canonicalAddress(address);
    if (canonical === undefined) return false;
    const embedded = embeddedIPv4(canonical);
    const readings = embedded === undefined ? [canonical] : [canonical, embedded];
    if (protectedPorts.has(port) && readings.some(isLocal)) return false;
    if (readings.some((reading) => isIn(denied, reading))) return false;
    if (isIn(allowed, canonical)) return true;
    return readings.every((reading) => isIn(allowed, reading) || !isIn(deniedByDefault, reading));
  };
}

/** The IPv4 address inside an IPv4-compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056) address. */
function embeddedIPv4(address: string): string | undefined {
  const groups = parseIPv6(address);
  if (groups === undefined) return undefined;
  const at = (index: number) => (groups[index] ?? 0) * 0x10000 + (groups[index + 1] ?? 0);
  if (groups[0] === 0x2002) return formatIPv4(at(1));
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  const isCompatible = groups.slice(0, 6).every((group) => group === 0) && at(6) > 1;
  return isNat64 || isCompatible ? formatIPv4(at(6)) : undefined;
}

function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) addEntry(list, entry);
  return list;
}

function addEntry(list: BlockList, entry: string): void {
  const [text = '', prefix, ...rest] = entry.split('/');
  const address = canonicalAddress(text);
  if (address === undefined || rest.length > 0) throw new RangeError(`"${entry}" is neither an address nor a CIDR block`);
  if (prefix === undefined) {
    list.addAddress(address, familyOf(address));
    return;
  }
  const bits = isIPv4(address) ? 32 : 128;
  // A block of IPv4-mapped addresses is the block of the IPv4 addresses in it.
  const length = Number(prefix) - (bits === 32 && !isIPv4(text) ? 96 : 0);
  if (!/^\d{1,3}$/.test(prefix) || length < 0 || length > bits) throw new RangeError(`"${entry}" has no valid prefix length`);
  list.addSubnet(address, length, familyOf(address));
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

function addressesOfInterfaces(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
