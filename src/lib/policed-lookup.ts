import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { DialPolicy } from './dial-policy.ts';

/** Resolves names for connections to one port, and gives only addresses that the policy lets through: judged is what is connected to. */
export function policedLookup(mayDial: DialPolicy, port: number): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = error === null ? addresses.filter(({ address }) => mayDial(address, port)) : [];
      const [first] = allowed;
      if (error !== null) callback(error, [], 0);
      else if (first === undefined) callback(dialDenied(hostname), [], 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** What a connection fails with that the policy forbids. */
export function dialDenied(host: string): Error {
  return new Error(`the address policy forbids to connect to ${host}`);
}
