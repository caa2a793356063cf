/** What the query says of one name. Values are percent-decoded bytes, one character per byte (latin1). */
export type QueryArgument =
  | { readonly kind: 'absent' }
  /** The name without `=`. */
  | { readonly kind: 'flag' }
  | { readonly kind: 'single'; readonly value: string }
  | { readonly kind: 'repeated' };

/** A consumer, and the credential by which it was recognised; without one for keys written on the consumer and for anonymous. */
export interface ConsumerMatch {
  readonly username: string;
  readonly customId: string | undefined;
  readonly credentialId: string | undefined;
}

/**
 * A request as plugins see it. Nothing is materialised unasked: every call reads the bytes that arrived, and every edit is a
 * cut or an added block on them. Header values and query values are byte strings, one character per byte.
 */
export interface RequestView {
  /** e.g. `GET`. */
  readonly method: string;
  /** The normalised path, percent-decoded once, without the query. */
  readonly path: string;
  /** The first value of a header, by its lower-case name; `''` for an empty one. Headers hidden by `Connection` are still seen here. */
  header(lowerCaseName: string): string | undefined;
  queryArgument(name: string): QueryArgument;
  /** Cuts every occurrence from what the upstream receives. */
  removeHeader(lowerCaseName: string): void;
  /** Replaces every occurrence of the header, in what the upstream receives. The gateway's own value wins over `Connection`. */
  setHeader(name: string, value: string): void;
  /** Removes the argument; the query is written anew from what is left. */
  removeQueryArgument(name: string): void;
  /** The consumer that holds this key (exact bytes) for a plugin of type `auth`. */
  findConsumerByKey(plugin: string, key: string): ConsumerMatch | undefined;
  findConsumerByName(username: string): ConsumerMatch | undefined;
  /**
   * Makes this the request's consumer and sets or removes `X-Consumer-Username`, `X-Credential-Identifier` and
   * `X-Consumer-Custom-ID` in what the upstream receives.
   */
  attachConsumer(consumer: ConsumerMatch): void;
}
