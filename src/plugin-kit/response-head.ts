/** The head of an answer on its way to the client, whoever made it. Values are byte strings. */
export interface ResponseHead {
  /** Readable and writable, from 200 to 599. */
  status: number;
  /** `gateway`: made by the gateway itself, by a plugin or for an error. */
  readonly source: 'upstream' | 'gateway';
  /** False for answers to HEAD, 204 and 304. */
  readonly hasBody: boolean;
  /** The first value. */
  header(lowerCaseName: string): string | undefined;
  headerValues(lowerCaseName: string): readonly string[];
  /** Lower-case names in order, each once. */
  headerNames(): readonly string[];
  /** @throws TypeError for what cannot stand in a header, and for framing, which is the engine's */
  setHeader(name: string, value: string): void;
  addHeader(name: string, value: string): void;
  removeHeader(lowerCaseName: string): void;
}
