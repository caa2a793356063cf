import http from 'node:http';

/** What a gateway is asked. */
export interface GatewayQuestion {
  readonly port: number;
  readonly path: string;
  readonly key?: string | undefined;
}

const ANSWER_LIMIT_MS = 20_000;

/** One request over a connection of its own: its status, or how there was none. Never rejects. */
export function statusFor({ port, path, key }: GatewayQuestion, timeoutMs = ANSWER_LIMIT_MS): Promise<number | string> {
  return new Promise((resolve) => {
    const none = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    const headers = key === undefined ? {} : { apikey: key };
    const request = http.get({ host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs, headers }, (response) => {
      response.on('error', none).resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', none);
  });
}
