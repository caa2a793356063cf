/** What the operations about joining work with, besides the store. */
export interface JoiningContext {
  readonly softwareVersion: string;
  /** Where gateways find control planes; at least one. */
  readonly controlPlanes: readonly { readonly host: string; readonly port: number }[];
  /** Ends the connections of instances that may not be connected any more. Others do so within seconds by themselves. */
  reviewPeers(): Promise<void>;
}
