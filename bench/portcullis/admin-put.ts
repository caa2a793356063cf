import { request } from 'node:https';

/** An Admin API and a token of it. */
export interface AdminAddress {
  readonly port: number;
  readonly token: string;
}

/** Writes one resource through the Admin API. @throws when it is refused */
export function adminPut(admin: AdminAddress, resource: string, body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port: admin.port,
        method: 'PUT',
        path: `/apisix/admin/${resource}?gateway_group_id=default`,
        rejectUnauthorized: false,
        agent: false,
        headers: { 'X-API-KEY': admin.token, 'Content-Type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () =>
          response.statusCode === 200 ? resolve() : reject(new Error(`${resource}: ${response.statusCode} ${text}`)),
        );
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify(body));
  });
}
