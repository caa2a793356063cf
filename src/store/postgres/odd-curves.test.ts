import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { oddServer, runClient } from '../../../test-support/odd-curve-client.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';

/** An ErrorResponse of PostgreSQL: severity, code, message. */
function refusal(): Buffer {
  const fields = Buffer.from('SFATAL\0C28000\0Mnot you\0\0');
  const head = Buffer.alloc(5);
  head.write('E', 0);
  head.writeInt32BE(4 + fields.length, 1);
  return Buffer.concat([head, fields]);
}

test('a connection to PostgreSQL gets past a certificate on an unusual curve', async (t) => {
  const { authority, shown } = await oddServer();
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    // The request for TLS; then the start-up message comes over it.
    socket.once('data', () => {
      socket.write('S');
      const secure = new TLSSocket(socket, { isServer: true, ...shown });
      secure.on('error', () => undefined);
      secure.once('data', () => secure.end(refusal()));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const trusted = path.join(await temporaryFolder(t), 'ca.pem');
  await writeFile(trusted, authority.cert);
  const url = `postgres://user:password@localhost:${port}/database?sslmode=verify-full&sslrootcert=${encodeURIComponent(trusted)}`;
  const from = (file: string): string => `await import(${JSON.stringify(new URL(file, import.meta.url).href)})`;
  const told = await runClient(`new (await import(${JSON.stringify(import.meta.resolve('pg'))})).default.Client(
    (${from('./client-settings.ts')}).clientSettings({
      address: (${from('./database-url.ts')}).parseDatabaseUrl(${JSON.stringify(url)}),
      schema: 's', connections: 2, timeoutMs: 30_000, statementTimeoutMs: 30_000 })).connect()`);
  assert.equal(told, 'not you');
});
