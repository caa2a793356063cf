import { createHmac, hash } from 'node:crypto';

/** A request to an AWS service, whose path is `/`. */
export interface AwsRequest {
  readonly method: string;
  readonly host: string;
  /** All are signed. Names in any case; values without spaces at their ends. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** Where and when a signature counts. */
export interface AwsScope {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

/** The request's headers with what AWS's Signature Version 4 adds: `X-Amz-Date`, `X-Amz-Security-Token` for a session, `Authorization`. */
export function signedAwsHeaders(request: AwsRequest, credentials: AwsCredentials, scope: AwsScope): Readonly<Record<string, string>> {
  const time = new Date(scope.nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const { sessionToken } = credentials;
  const headers = {
    ...request.headers,
    'X-Amz-Date': time,
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
  };
  const signed = Object.entries({ ...headers, Host: request.host })
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join('');
  const canonical = [request.method, '/', '', lines, names, hash('sha256', request.body)].join('\n');
  const day = time.slice(0, 8);
  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, credentialScope, hash('sha256', canonical)].join('\n');
  const key = [day, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(mac, `AWS4${credentials.secretAccessKey}`);
  const signature = mac(key, text).toString('hex');
  const credential = `Credential=${credentials.accessKeyId}/${credentialScope}`;
  return { ...headers, Authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

function mac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
