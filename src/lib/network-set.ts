import { isIP } from 'node:net';
import { parseIPv4, parseIPv6 } from './ip-address.ts';

const IPV4_BITS = 32;
const IPV6_BITS = 128;
const GROUP_BITS = 16;
const MAPPED_PREFIX = '\0\0\0\0\0\uffff';
const MAPPED_BITS = 96;

/** Addresses from the first to the last, both included. Of IPv6 as eight UTF-16 units, which compare as the addresses do. */
interface Range<Address> {
  readonly first: Address;
  readonly last: Address;
}

/**
 * Addresses and networks in which addresses can be looked up: by halving, so that sixty thousand of them cost a look-up sixteen steps, and
 * building the set costs what sorting does.
 */
export class NetworkSet {
  readonly #ipv4: readonly Range<number>[];
  readonly #ipv6: readonly Range<string>[];

  /** Entries are addresses or networks (`10.0.0.0/8`, `::1`). @throws RangeError that names what is neither */
  constructor(texts: readonly string[]) {
    const ipv4: Range<number>[] = [];
    const ipv6: Range<string>[] = [];
    for (const text of texts) {
      const { address, prefix } = parseNetwork(text);
      if (typeof address === 'number') ipv4.push(ipv4Range(address, prefix));
      else if (address.startsWith(MAPPED_PREFIX) && prefix >= MAPPED_BITS)
        ipv4.push(ipv4Range(embeddedIPv4(address), prefix - MAPPED_BITS));
      else ipv6.push(ipv6Range(address, prefix));
    }
    this.#ipv4 = merged(ipv4);
    this.#ipv6 = merged(ipv6);
  }

  /** Whether an address is one of them or in one of them, an IPv4-mapped one also as the IPv4 address. False for what is no address. */
  has(address: string): boolean {
    if (!address.includes(':')) {
      const bits = this.#ipv4.length === 0 ? undefined : parseIPv4(address);
      return bits !== undefined && isIn(this.#ipv4, bits);
    }
    const units = unitsOf(address);
    if (units === undefined) return false;
    return isIn(this.#ipv6, units) || (units.startsWith(MAPPED_PREFIX) && isIn(this.#ipv4, embeddedIPv4(units)));
  }
}

function parseNetwork(text: string): { readonly address: number | string; readonly prefix: number } {
  const slash = text.indexOf('/');
  const host = slash === -1 ? text : text.slice(0, slash);
  const isIPv4 = isIP(host) === 4;
  const most = isIPv4 ? IPV4_BITS : IPV6_BITS;
  const prefix = slash === -1 ? `${most}` : text.slice(slash + 1);
  const address = isIPv4 ? parseIPv4(host) : unitsOf(host);
  if (address === undefined || !/^\d{1,3}$/.test(prefix) || Number(prefix) > most) {
    throw new RangeError(`${text} is neither an address nor a network`);
  }
  return { address, prefix: Number(prefix) };
}

function ipv4Range(address: number, prefix: number): Range<number> {
  const size = 2 ** (IPV4_BITS - prefix);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

function ipv6Range(address: string, prefix: number): Range<string> {
  const first: number[] = [];
  const last: number[] = [];
  for (let index = 0; index < address.length; index++) {
    const kept = Math.min(GROUP_BITS, Math.max(0, prefix - index * GROUP_BITS));
    const host = 0xffff >>> kept;
    const group = address.charCodeAt(index);
    first.push(group & ~host & 0xffff);
    last.push(group | host);
  }
  return { first: String.fromCharCode(...first), last: String.fromCharCode(...last) };
}

function embeddedIPv4(address: string): number {
  return address.charCodeAt(6) * 0x10000 + address.charCodeAt(7);
}

function unitsOf(text: string): string | undefined {
  const groups = parseIPv6(text);
  return groups === undefined ? undefined : String.fromCharCode(...groups);
}

/** In order, without overlaps. */
function merged<Address extends number | string>(ranges: Range<Address>[]): readonly Range<Address>[] {
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const apart: Range<Address>[] = [];
  for (const range of ranges) {
    const before = apart.at(-1);
    if (before === undefined || range.first > before.last) apart.push(range);
    else if (range.last > before.last) apart[apart.length - 1] = { first: before.first, last: range.last };
  }
  return apart;
}

function isIn<Address extends number | string>(ranges: readonly Range<Address>[], address: Address): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined) return false;
    if (address < range.first) high = middle - 1;
    else if (address > range.last) low = middle + 1;
    else return true;
  }
  return false;
}
