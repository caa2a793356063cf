import http from 'node:http';

/** What a gateway is asked. */
export interface GatewayQuestion {
  readonly port: number;
  readonly path: string;
  readonly key?: string | undefined;
}

/** An answer, or how there was none. */
type GatewayAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: string }
  | { readonly kind: 'none'; readonly code: string };

const ANSWER_LIMIT_MS = 20_000;

/** One request over a connection of its own. Never rejects. */
function askGateway({ port, path, key }: GatewayQuestion): Promise<GatewayAnswer> {
  return new Promise((resolve) => {
    const none = (error: NodeJS.ErrnoException): void => resolve({ kind: 'none', code: error.code ?? error.message });
    const request = http.get(
      { host: '127.0.0.1', port, path, agent: false, timeout: ANSWER_LIMIT_MS, headers: key === undefined ? {} : { apikey: key } },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        response.on('error', none);
        response.on('end', () => resolve({ kind: 'answer', status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', none);
  });
}

/** The status, or how there was none. */
export async function statusFor(question: GatewayQuestion): Promise<number | string> {
  const answer = await askGateway(question);
  return answer.kind === 'answer' ? answer.status : answer.code;
}
