/** What a newcomer needs to know, once everything serves. */
export interface BannerFacts {
  readonly version: string;
  /** Origins, e.g. `https://localhost:7443`. */
  readonly adminUrl: string;
  /** Undefined where only the control plane runs. */
  readonly gatewayUrl: string | undefined;
  /** Undefined when the demo upstream does not run. */
  readonly demo: { readonly host: string; readonly port: number } | undefined;
  readonly groupId: string;
  /** Undefined when the store is in the data folder. */
  readonly database: string | undefined;
  readonly firstStart: BannerFirstStart | undefined;
}

/** What the first start made. */
export type BannerFirstStart =
  /** Shown on the terminal. Null: given by the operator, so known already. */
  | {
      readonly kind: 'shown';
      readonly username: string;
      readonly password: string | null;
      readonly token: string | null;
      readonly tokenDays: number;
    }
  /** Standard output is no terminal: the secrets are in this file. */
  | { readonly kind: 'file'; readonly file: string };

/** The text that a start prints when the gateway has applied the newest configuration. */
export function banner(facts: BannerFacts): string {
  const { gatewayUrl, demo } = facts;
  const lines = [
    `Portcullis ${facts.version} is ready.`,
    '',
    `  Admin API       ${facts.adminUrl}`,
    ...(gatewayUrl === undefined ? [] : [`  Gateway         ${gatewayUrl}`]),
    ...(demo === undefined ? [] : [`  Demo upstream   ${originOf('http', demo.host, demo.port)}`]),
    `  Gateway group   ${facts.groupId}`,
    ...(facts.database === undefined ? [] : [`  Store           ${facts.database}`]),
    '',
    ...accessLines(facts),
  ];
  if (demo !== undefined && gatewayUrl !== undefined) {
    const commands = guideCommands({ ...facts, gatewayUrl, demo });
    lines.push('', 'Protect an API with a key. Paste this into another terminal:', '', commands);
  }
  return `${lines.join('\n')}\n`;
}

/** An origin as a URL writes it. */
export function originOf(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function accessLines({ firstStart }: BannerFacts): string[] {
  if (firstStart === undefined) return ['Another API token: portcullis token create (in a clone: node bin/portcullis.js token create).'];
  if (firstStart.kind === 'file') return [`First start: the admin password and an API token are in ${firstStart.file}`];
  return firstStartLines(firstStart);
}

/** The secrets of a first start, with what they are for. */
export function firstStartLines(firstStart: Extract<BannerFirstStart, { kind: 'shown' }>): string[] {
  const lines = ['First start. This is shown once:'];
  if (firstStart.password === null) lines.push(`  Admin user      ${firstStart.username}, with the password you have set`);
  else lines.push(`  Admin user      ${firstStart.username}`, `  Password        ${firstStart.password}`);
  if (firstStart.token === null) lines.push('  API token       the one you have set');
  else lines.push(`  API token       (${firstStart.tokenDays} days)`, `export API_KEY=${firstStart.token}`);
  return lines;
}

/** The commands of the key authentication guide against the demo upstream. */
function guideCommands(facts: {
  readonly adminUrl: string;
  readonly gatewayUrl: string;
  readonly demo: { readonly host: string; readonly port: number };
  readonly groupId: string;
}): string {
  const put = (path: string, body: unknown): string =>
    `curl -k "${facts.adminUrl}/apisix/admin/${path}?gateway_group_id=${facts.groupId}" -X PUT \\\n` +
    `  -H "X-API-KEY: \${API_KEY}" -H "Content-Type: application/json" \\\n` +
    `  -d '${JSON.stringify(body)}'`;
  const gateway = `${facts.gatewayUrl}/anything/key-auth`;
  return [
    put('services/key-auth-httpbin-service', {
      name: 'key-auth-httpbin-service',
      upstream: { type: 'roundrobin', scheme: 'http', nodes: [{ ...facts.demo, weight: 100 }] },
    }),
    put('routes/key-auth-route', {
      name: 'key-auth-route',
      paths: ['/anything/key-auth'],
      methods: ['GET'],
      service_id: 'key-auth-httpbin-service',
      plugins: { 'key-auth': { header: 'apikey' } },
    }),
    put('consumers/key-auth-consumer', { username: 'key-auth-consumer' }),
    put('consumers/key-auth-consumer/credentials/key-auth-consumer-cred', {
      name: 'key-auth-consumer-cred',
      plugins: { 'key-auth': { key: 'secret-api-key' } },
    }),
    `curl -i "${gateway}"`,
    `curl -i "${gateway}" -H "apikey: secret-api-key"`,
  ].join('\n');
}
