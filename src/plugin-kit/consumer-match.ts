import type { JsonObject } from '../lib/json.ts';

/** A consumer, and the credential by which it was recognised; without one for keys written on the consumer and for anonymous. */
export interface ConsumerMatch {
  readonly username: string;
  readonly customId: string | undefined;
  readonly credentialId: string | undefined;
  /** Undefined for a consumer without labels. */
  readonly labels?: ReadonlyMap<string, string> | undefined;
}

/** A credential as a plugin of type `auth` gets it. */
export interface CredentialMatch extends ConsumerMatch {
  /** What the plugin's `credentialData` gave on the control plane. */
  readonly data: JsonObject;
  /**
   * What `create` makes of the data, e.g. an imported key: made once for each state of the credential as long as it is in use often
   * enough, in a bounded cache. What it throws is thrown each time.
   */
  prepared<Value>(create: (data: JsonObject) => Value): Value;
}
