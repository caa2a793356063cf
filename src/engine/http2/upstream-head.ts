/** A request that the engine has written as HTTP/1.1, as HTTP/2 says it. */
export interface UpstreamHead {
  /** Name and value in turn. */
  readonly fields: readonly string[];
  readonly body: 'none' | 'length' | 'chunked';
  readonly contentLength: number;
  readonly isHead: boolean;
}

/** Fields between neighbours, and those whose place is taken by pseudo fields. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
]);

/** Reads a head of the engine's own, from the request line to the empty line: it is known to be well-formed. */
export function upstreamHead(text: string, scheme: 'http' | 'https'): UpstreamHead {
  const lines = text.split('\r\n');
  const [method = '', target = ''] = (lines[0] ?? '').split(' ');
  const fields: string[] = [];
  let authority = '';
  let body: UpstreamHead['body'] = 'none';
  let contentLength = 0;
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'host') authority = value;
    else if (name === 'transfer-encoding') body = 'chunked';
    if (LEFT_OUT.has(name)) continue;
    if (name === 'content-length') {
      contentLength = Number(value);
      body = contentLength > 0 ? 'length' : 'none';
    }
    fields.push(name, value);
  }
  const start = [':method', method, ':scheme', scheme, ':authority', authority, ':path', target];
  // Servers of gRPC ask for it: it says that nothing on the way loses trailer fields.
  return { fields: [...start, ...fields, 'te', 'trailers'], body, contentLength, isHead: method === 'HEAD' };
}
