import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface HttpQuestion {
  readonly port: number;
  readonly path: string;
  /** Over TLS, with whatever certificate; in clear unless said. */
  readonly tls?: boolean;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One request on a connection of its own, read to the end. */
export function httpAnswer(question: HttpQuestion): Promise<HttpAnswer> {
  const { body, tls, ...rest } = question;
  const request = tls === true ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', agent: false, timeout: 10_000, rejectUnauthorized: false, ...rest }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer to ${question.path}`)));
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Whether anything answers there. */
export async function answers(port: number): Promise<boolean> {
  return httpAnswer({ port, path: '/' }).then(
    () => true,
    () => false,
  );
}
