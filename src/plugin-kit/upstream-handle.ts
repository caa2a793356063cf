/** An upstream that a plugin's configuration brings, made ready by the gateway: names resolved, connections pooled. */
export interface UpstreamHandle {
  /** Position among what the plugin's `upstreams` gave. */
  readonly index: number;
}
