/** Where gateways find one control plane. */
export interface ControlPlaneAddress {
  /** A host name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** More than these are no list of control planes. */
export const MOST_CONTROL_PLANES = 16;

const ADDRESS = /^(?:https:\/\/)?(?:\[([0-9a-fA-F:.]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})\/?$/;

/** Reads `host:port` or `https://host:port`, separated by commas, an IPv6 address in brackets; undefined for anything else. An address counts once. */
export function parseControlPlanes(text: string): readonly ControlPlaneAddress[] | undefined {
  const found = new Map<string, ControlPlaneAddress>();
  for (const part of text.split(',')) {
    const [, address, name, digits] = ADDRESS.exec(part.trim()) ?? [];
    const host = (address ?? name)?.toLowerCase();
    const port = Number(digits);
    if (host === undefined || port < 1 || port > 65_535) return undefined;
    found.set(`${host} ${port}`, { host, port });
  }
  return found.size > MOST_CONTROL_PLANES ? undefined : [...found.values()];
}
