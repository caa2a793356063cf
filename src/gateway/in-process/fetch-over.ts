import { request as httpRequest, type IncomingMessage } from 'node:http';

/** Fields that the client's side of the connection writes itself. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['connection', 'content-length', 'host', 'transfer-encoding']);
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);

/** Sends a request of the web's kind to 127.0.0.1, its host as Host, and gives the answer in the same form. Redirects are not followed. */
export async function fetchOver(port: number, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
  const headers: [string, string][] = [['Host', url.host]];
  for (const [name, value] of request.headers) if (!OWN_FIELDS.has(name)) headers.push([name, value]);
  if (body !== undefined) headers.push(['Content-Length', String(body.length)]);
  const message = await exchange(port, request.method, `${url.pathname}${url.search}`, headers, body);
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(Buffer.from(piece));
  const status = message.statusCode ?? 0;
  const answered = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    answered.append(message.rawHeaders[index] ?? '', message.rawHeaders[index + 1] ?? '');
  }
  return new Response(WITHOUT_BODY.has(status) ? null : Buffer.concat(pieces), { status, headers: answered });
}

function exchange(
  port: number,
  method: string,
  path: string,
  headers: [string, string][],
  body: Buffer | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ host: '127.0.0.1', port, method, path, headers: headers.flat(), agent: false }, resolve);
    asked.on('error', reject);
    asked.end(body);
  });
}
