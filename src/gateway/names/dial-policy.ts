export interface DialPolicyOptions {
  /** Ports of the product's own sockets: never dialled on this machine. */
  readonly protectedPorts: readonly number[];
  /** Addresses or CIDR blocks to open although they are denied by default. */
  readonly allow: readonly string[];
  /** Addresses or CIDR blocks to deny in addition; wins over `allow`. */
  readonly deny: readonly string[];
  /** Addresses of this machine's interfaces; the system's when absent. */
  readonly localAddresses?: () => readonly string[];
}
/** Whether a connection to this resolved address and port may be opened. */
export type DialPolicy = (address: string, port: number) => boolean;
export function createDialPolicy(_options: DialPolicyOptions): DialPolicy {
  return () => true;
}
