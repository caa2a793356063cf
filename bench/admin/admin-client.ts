import { Agent, request } from 'node:https';

/** One kept-alive connection to the Admin API. */
export class AdminClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** The answer's text. @throws when the status is not 200 */
  ask(method: string, resource: string, body?: unknown): Promise<string> {
    const [path = '', query = ''] = resource.split('?');
    return this.#send(method, `/apisix/admin/${path}?gateway_group_id=default&${query}`, body);
  }

  /** Applies operations together; the answer's text. @throws when the status is not 200 */
  applyBulk(operations: readonly unknown[]): Promise<string> {
    return this.#send('POST', '/api/gateway_groups/default/bulk', operations);
  }

  #send(method: string, path: string, body: unknown): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const asked = request(
      {
        host: '127.0.0.1',
        port: this.#port,
        method,
        path,
        agent: this.#agent,
        headers: { 'X-API-KEY': this.#token, Prefer: 'wait=0' },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path} was answered ${response.statusCode}: ${text.slice(0, 200)}`));
        });
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}
