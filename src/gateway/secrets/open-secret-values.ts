import { CallClient, CallNames } from '../calls/index.ts';
import type { GatewayOptions } from '../gateway-options.ts';
import { createDialPolicy, NameResolver } from '../names/index.ts';
import { EnvironmentValues } from './environment-values.ts';
import { secretFetcher } from './secret-fetcher.ts';
import { SecretValues } from './secret-values.ts';

export type OpenSecretValuesOptions = Pick<
  GatewayOptions,
  'environment' | 'envReferences' | 'protectedPorts' | 'dial' | 'clock' | 'random' | 'log'
>;

export interface OpenSecretValues {
  readonly values: SecretValues;
  close(): void;
}

/** Secrets by the environment and by calls under the address policy. Nothing is called, and no timer runs, before a reference is retained. */
export function openSecretValues(options: OpenSecretValuesOptions): OpenSecretValues {
  const { clock, random, log, protectedPorts, dial } = options;
  const environment = new EnvironmentValues(options.environment ?? {}, options.envReferences ?? []);
  const mayDial = createDialPolicy({ protectedPorts, ...dial });
  const names = new CallNames({ resolver: new NameResolver({ clock, random, log }), clock });
  const calls = new CallClient({ clock, mayDial, addressesOf: (host) => names.addressesOf(host) });
  const fetch = secretFetcher({ calls, nowMs: () => clock.nowMs() }, environment);
  const values = new SecretValues({ environment, fetch, clock, random, log });
  return {
    values,
    close: () => {
      values.close();
      calls.close();
      names.close();
    },
  };
}
