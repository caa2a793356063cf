import { BlockList, isIP } from 'node:net';

/**
 * Addresses and networks (`10.0.0.0/8`, `::1`) as a list in which addresses can be looked up; undefined for none.
 * @throws RangeError that names what is neither an address nor a network
 */
export function networkList(texts: readonly string[]): BlockList | undefined {
  if (texts.length === 0) return undefined;
  const list = new BlockList();
  for (const text of texts) {
    const slash = text.indexOf('/');
    const address = slash === -1 ? text : text.slice(0, slash);
    const prefix = slash === -1 ? undefined : text.slice(slash + 1);
    const family = isIP(address);
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (family === 0 || (prefix !== undefined && !isPrefix(prefix, family)))
      throw new RangeError(`${text} is neither an address nor a network`);
    if (prefix === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(prefix), type);
  }
  return list;
}

function isPrefix(text: string, family: number): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) <= (family === 4 ? 32 : 128);
}
