import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { TestAuthority } from '../../test-support/test-authority.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SnapshotItem } from '../schema/index.ts';
import { routeItem, serviceItem } from './testing/guide-items.ts';
import { startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import { startTestUpstream } from './testing/test-upstream.ts';
import { connectSecurely, getOver, handshakeError } from './testing/tls-request.ts';

function ssl(id: string, value: JsonObject): SnapshotItem {
  return { kind: 'ssl', id, value };
}

async function startSecure(
  t: TestContext,
  items: readonly SnapshotItem[],
  options: Parameters<typeof startTestGateway>[1] = {},
): Promise<TestGateway> {
  const upstream = await startTestUpstream(t);
  const gateway = await startTestGateway(t, options);
  await gateway.load([serviceItem(upstream.port), routeItem('all', { paths: ['/*'] }), ...items]);
  await gateway.agent.whenReady();
  return gateway;
}

describe('the HTTPS port', () => {
  test('opens with the first certificate, and whoever wrote it may use it at once', async (t) => {
    const authority = await TestAuthority.create();
    const gateway = await startSecure(t, []);
    assert.equal(gateway.httpsPort, 0);
    await gateway.change({ op: 'put', item: ssl('a', { snis: ['a.example'], ...(await authority.issue({ names: ['a.example'] })) }) });
    assert.notEqual(gateway.httpsPort, 0);
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', ca: authority.cert, rejectUnauthorized: true });
    assert.deepEqual(await getOver(socket, 'a.example', '/'), { status: 200, body: 'upstream' });
    await gateway.change({ op: 'delete', name: { kind: 'ssl', parentId: '', id: 'a' } });
    assert.equal(await handshakeError(gateway.httpsPort, { servername: 'a.example' }), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    // What was connected before goes on.
    assert.equal((await getOver(socket, 'a.example', '/')).status, 200);
  });

  test('serves each name with its certificate, of the kind that the client can check', async (t) => {
    const authority = await TestAuthority.create();
    const [ecdsa, rsa, wild, shared] = await Promise.all([
      authority.issue({ commonName: 'ecdsa', names: ['a.example'] }),
      authority.issue({ commonName: 'rsa', names: ['a.example'], keyType: 'rsa' }),
      authority.issue({ commonName: 'wild', names: ['*.b.example'] }),
      authority.issue({ commonName: 'shared', names: ['c.example', 'd.example'] }),
    ]);
    const gateway = await startSecure(t, [
      ssl('a', { snis: ['a.example'], ...ecdsa, certs: [rsa.cert], keys: [rsa.key] }),
      ssl('b', { snis: ['*.b.example'], ...wild, ssl_protocols: ['TLSv1.2'] }),
      ssl('off', { snis: ['off.example'], ...wild, status: 0 }),
      { kind: 'certificate', id: 'shared', value: { ...shared } },
      { kind: 'sni', id: 'c', value: { domain: 'c.example', certificates: ['shared'] } },
      { kind: 'sni', id: 'd', value: { domain: 'd.example', certificates: ['shared'] } },
    ]);
    const shown = async (options: ConnectionOptions): Promise<string> => {
      const socket = await connectSecurely(t, gateway.httpsPort, { ca: authority.cert, rejectUnauthorized: true, ...options });
      assert.equal((await getOver(socket, options.servername ?? '', '/')).status, 200);
      return `${socket.getPeerCertificate().subject.CN} ${socket.getProtocol()}`;
    };
    assert.equal(await shown({ servername: 'a.example' }), 'ecdsa TLSv1.3');
    assert.equal(await shown({ servername: 'a.example', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }), 'rsa TLSv1.2');
    assert.equal(await shown({ servername: 'x.b.example' }), 'wild TLSv1.2');
    assert.equal(await shown({ servername: 'c.example' }), 'shared TLSv1.3');
    assert.equal(await shown({ servername: 'd.example' }), 'shared TLSv1.3');
    for (const servername of ['off.example', 'x.y.b.example', 'e.example']) {
      assert.equal(await handshakeError(gateway.httpsPort, { servername }), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    }
    assert.equal(await handshakeError(gateway.httpsPort, {}), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
    assert.equal(
      await handshakeError(gateway.httpsPort, { servername: 'x.b.example', minVersion: 'TLSv1.3' }),
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    );
    // The name's certificate is replaced where it is an object of its own, too.
    await gateway.change({
      op: 'put',
      item: { kind: 'certificate', id: 'shared', value: { ...(await authority.issue({ commonName: 'new', names: ['c.example'] })) } },
    });
    assert.equal(await shown({ servername: 'c.example' }), 'new TLSv1.3');
  });

  test('gives the fallback to who names no host or an unknown one', async (t) => {
    const authority = await TestAuthority.create();
    const gateway = await startSecure(t, [ssl('a', { snis: ['a.example'], ...(await authority.issue({ commonName: 'a' })) })], {
      fallbackSni: 'a.example',
    });
    for (const options of [{}, { servername: 'unknown.example' }]) {
      const socket = await connectSecurely(t, gateway.httpsPort, options);
      assert.equal(socket.getPeerCertificate().subject.CN, 'a');
    }
  });

  test('refuses the host whose certificate cannot be used, says why in the log, and serves the others', async (t) => {
    const authority = await TestAuthority.create();
    const [one, other] = await Promise.all([authority.issue(), authority.issue()]);
    const gateway = await startSecure(t, [
      ssl('bad', { snis: ['bad.example'], cert: one.cert, key: other.key }),
      ssl('good', { snis: ['good.example'], ...one }),
    ]);
    assert.equal(await handshakeError(gateway.httpsPort, { servername: 'bad.example' }), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'good.example' });
    assert.equal((await getOver(socket, 'good.example', '/')).status, 200);
    const line = gateway.log.lines.find(({ fields }) => fields?.reason === 'tls_certificate_unusable');
    assert.match(String(line?.fields?.detail), /key values mismatch/);
    assert.doesNotMatch(JSON.stringify(gateway.log.lines), /PRIVATE KEY/);
  });
});

describe('client certificates', () => {
  async function startStrict(
    t: TestContext,
    client: JsonObject = {},
  ): Promise<{ readonly gateway: TestGateway; readonly authority: TestAuthority; readonly alice: ConnectionOptions }> {
    const authority = await TestAuthority.create();
    const gateway = await startSecure(t, [
      ssl('strict', { snis: ['strict.example'], ...(await authority.issue()), client: { ca: authority.cert, ...client } }),
      ssl('other', { snis: ['other.example'], ...(await authority.issue()), client: { ca: authority.cert } }),
      ssl('open', { snis: ['open.example', 'open2.example'], ...(await authority.issue()) }),
    ]);
    return { gateway, authority, alice: { ...(await authority.issue({ commonName: 'alice' })), servername: 'strict.example' } };
  }

  test('are asked for by the hosts that want them, and answered 400 where they are missing or bad', async (t) => {
    const { gateway, authority, alice } = await startStrict(t);
    const stranger = await TestAuthority.create('stranger');
    const between = await authority.intermediate('one');
    const further = await between.intermediate('two');
    const statusWith = async (options: ConnectionOptions): Promise<number> => {
      const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'strict.example', ...options });
      return (await getOver(socket, 'strict.example', '/')).status;
    };
    assert.equal(await statusWith(alice), 200);
    assert.equal(await statusWith(await between.issue({ commonName: 'carol' })), 200);
    assert.equal(await statusWith({}), 400);
    assert.equal(await statusWith(await further.issue({ commonName: 'dave' })), 400);
    assert.equal(await statusWith(await stranger.issue({ commonName: 'alice' })), 400);
    assert.equal(await statusWith(await authority.issue({ commonName: 'old', notAfter: new Date(Date.now() - 1000) })), 400);
    const open = await connectSecurely(t, gateway.httpsPort, { servername: 'open.example' });
    assert.equal((await getOver(open, 'open.example', '/')).status, 200);
    const refused = await connectSecurely(t, gateway.httpsPort, { servername: 'strict.example' });
    assert.equal((await getOver(refused, 'strict.example', '/')).body, '{"error_msg":"a client certificate is required"}\n');
  });

  test('are not needed for the paths that need none, however they are spelled', async (t) => {
    const { gateway } = await startStrict(t, { skip_mtls_uri_regex: ['^/public/', '['] });
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'strict.example' });
    for (const [path, status] of [
      ['/public/a', 200],
      ['/secret', 400],
      ['/public/../secret', 400],
      ['/public/%2e%2e/secret', 400],
      ['/x/../public/a', 200],
      ['/public/..%2fsecret', 400],
      ['/%zz', 400],
    ] as const) {
      assert.equal((await getOver(socket, 'strict.example', path)).status, status, path);
    }
    assert.ok(gateway.log.lines.some(({ message }) => message === 'a TLS host cannot be served as it is written'));
  });

  test('let nobody in at another host than the one that the handshake was made for', async (t) => {
    const { gateway, alice } = await startStrict(t);
    const strict = await connectSecurely(t, gateway.httpsPort, alice);
    assert.equal((await getOver(strict, 'strict.example', '/')).status, 200);
    assert.equal((await getOver(strict, 'other.example', '/')).status, 421);
    assert.equal((await getOver(strict, 'strict.example:443', '/')).status, 200);
    assert.equal((await getOver(strict, 'open.example', '/')).status, 200);
    const open = await connectSecurely(t, gateway.httpsPort, { servername: 'open.example' });
    for (const host of ['strict.example', 'STRICT.example', 'strict.example.', 'strict.example:9443']) {
      assert.deepEqual(
        await getOver(open, host, '/'),
        { status: 421, body: '{"error_msg":"this host needs a connection of its own"}\n' },
        host,
      );
    }
    assert.equal((await getOver(open, 'open2.example', '/')).status, 200);
    // The absolute form names its host too (RFC 9112 §3.2.2).
    assert.equal((await getOver(open, 'strict.example', 'https://strict.example/')).status, 421);
  });

  test('are asked for anew when the policy changes under an open connection, and not when the certificate of the host does', async (t) => {
    const { gateway, authority, alice } = await startStrict(t);
    const socket = await connectSecurely(t, gateway.httpsPort, alice);
    const replace = async (client: JsonObject): Promise<void> =>
      gateway.change({ op: 'put', item: ssl('strict', { snis: ['strict.example'], ...(await authority.issue()), client }) });
    await replace({ ca: authority.cert });
    assert.equal((await getOver(socket, 'strict.example', '/')).status, 200);
    await replace({ ca: (await TestAuthority.create('another')).cert });
    assert.equal((await getOver(socket, 'strict.example', '/')).status, 421);
    const open = await connectSecurely(t, gateway.httpsPort, { servername: 'open.example' });
    assert.equal((await getOver(open, 'open.example', '/')).status, 200);
    await gateway.change({
      op: 'put',
      item: ssl('open', { snis: ['open.example'], ...(await authority.issue()), client: { ca: authority.cert } }),
    });
    assert.equal((await getOver(open, 'open.example', '/')).status, 421);
  });

  test('are asked for as soon as a name falls to a stricter host, and not where it has got a host of its own', async (t) => {
    const authority = await TestAuthority.create();
    const pair = await authority.issue();
    const own = ssl('x', { snis: ['x.example'], ...pair });
    const gateway = await startSecure(t, [ssl('w', { snis: ['*.example'], ...pair, client: { ca: authority.cert } }), own]);
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'x.example' });
    const statuses = async (): Promise<readonly number[]> => [
      (await getOver(socket, 'x.example', '/')).status,
      (await getOver(socket, 'y.example', '/')).status,
      (await getOver(socket, 'z.y.example', '/')).status,
    ];
    assert.deepEqual(await statuses(), [200, 421, 421]);
    await gateway.change({ op: 'delete', name: { kind: 'ssl', parentId: '', id: 'x' } });
    assert.deepEqual(await statuses(), [421, 421, 421]);
    await gateway.change({ op: 'put', item: ssl('x', { snis: ['y.example'], ...pair }) });
    assert.deepEqual(await statuses(), [421, 200, 421]);
    await gateway.change({ op: 'put', item: own });
    assert.deepEqual(await statuses(), [200, 421, 421]);
  });

  test('of a host whose authority is missing are believed by nobody, and of an SNI object as of an SSL', async (t) => {
    const authority = await TestAuthority.create();
    const gateway = await startSecure(t, [
      { kind: 'certificate', id: 'c', value: { ...(await authority.issue()) } },
      { kind: 'sni', id: 's', value: { domain: 's.example', certificates: ['c'], mtls: { ca_certificates: ['ca'] } } },
    ]);
    const alice = await authority.issue({ commonName: 'alice' });
    assert.equal(await handshakeError(gateway.httpsPort, { servername: 's.example', ...alice }), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
    await gateway.change({ op: 'put', item: { kind: 'ca_certificate', id: 'ca', value: { cert: authority.cert } } });
    const known = await connectSecurely(t, gateway.httpsPort, { servername: 's.example', ...alice });
    assert.equal((await getOver(known, 's.example', '/')).status, 200);
    const unknown = await connectSecurely(t, gateway.httpsPort, { servername: 's.example' });
    assert.equal((await getOver(unknown, 's.example', '/')).status, 400);
  });
});

test('plugins know what the handshake has agreed on, and what the client has shown', async (t) => {
  const authority = await TestAuthority.create();
  const upstream = await startTestUpstream(t);
  const names = [
    'protocol',
    'server_name',
    'alpn_protocol',
    'session_reused',
    'client_verify',
    'client_s_dn',
    'client_i_dn',
    'client_v_remain',
  ];
  const set = Object.fromEntries(names.map((name) => [`x-${name.replaceAll('_', '-')}`, `$ssl_${name}`]));
  const gateway = await startTestGateway(t);
  await gateway.load([
    serviceItem(upstream.port, { plugins: { 'proxy-rewrite': { headers: { set } } } }),
    routeItem('all', { paths: ['/*'] }),
    ssl('a', { snis: ['a.example'], ...(await authority.issue()), client: { ca: authority.cert, skip_mtls_uri_regex: ['.'] } }),
  ]);
  await gateway.agent.whenReady();
  const seen = async (options: ConnectionOptions): Promise<readonly unknown[]> => {
    const socket = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', ALPNProtocols: ['http/1.1'], ...options });
    assert.equal((await getOver(socket, 'a.example', '/')).status, 200);
    const { headers } = upstream.requests.at(-1) ?? {};
    return names.map((name) => headers?.[`x-${name.replaceAll('_', '-')}`] ?? '');
  };
  const shown = ['TLSv1.3', 'a.example', 'http/1.1', '.'];
  const alice = await authority.issue({ commonName: 'alice' });
  assert.deepEqual(await seen(alice), [...shown, 'SUCCESS', 'CN=alice', 'CN=test root', '0']);
  assert.deepEqual(await seen({}), [...shown, 'NONE', '', '', '']);
  assert.deepEqual(await seen(await authority.issue({ commonName: '' })), [...shown, 'SUCCESS', '', 'CN=test root', '0']);
  const mallory = await (await TestAuthority.create('other')).issue({ commonName: 'mallory' });
  assert.deepEqual(await seen(mallory), [...shown, 'FAILED:UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CN=mallory', 'CN=other', '0']);
  assert.equal(upstream.requests.at(-1)?.headers['x-forwarded-proto'], 'https');
});

describe('sessions', () => {
  /** A connection with its session, when the server has given one. */
  async function sessionOf(
    t: TestContext,
    port: number,
    options: ConnectionOptions,
  ): Promise<{ readonly socket: TLSSocket; readonly session: Buffer }> {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    t.after(() => void socket.destroy());
    const sessions: Buffer[] = [];
    socket.on('session', (session) => sessions.push(session));
    await once(socket, 'secureConnect');
    await getOver(socket, options.servername ?? '', '/');
    const session = sessions.at(-1);
    assert.ok(session);
    return { socket, session };
  }

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`are taken up again by any worker, and by a certificate that has replaced the other (${maxVersion})`, async (t) => {
      const authority = await TestAuthority.create();
      const put = async (id: string): Promise<SnapshotItem> => ssl(id, { snis: [`${id}.example`], ...(await authority.issue()) });
      const gateway = await startSecure(t, [await put('a'), await put('b')]);
      const first = await sessionOf(t, gateway.httpsPort, { servername: 'a.example', maxVersion });
      assert.equal(first.socket.isSessionReused(), false);
      const again = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', maxVersion, session: first.session });
      assert.equal(again.isSessionReused(), true);
      await gateway.change({ op: 'put', item: await put('a') });
      const replaced = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', maxVersion, session: first.session });
      assert.equal(replaced.isSessionReused(), true);
      const elsewhere = await connectSecurely(t, gateway.httpsPort, { servername: 'b.example', maxVersion, session: first.session });
      assert.equal(elsewhere.isSessionReused(), false);
    });

    test(`are never taken up again where a client must show a certificate (${maxVersion})`, async (t) => {
      const authority = await TestAuthority.create();
      const open = ssl('a', { snis: ['a.example'], ...(await authority.issue()) });
      const strict = ssl('a', { snis: ['a.example'], ...(await authority.issue()), client: { ca: authority.cert } });
      const gateway = await startSecure(t, [open]);
      const before = await sessionOf(t, gateway.httpsPort, { servername: 'a.example', maxVersion });
      await gateway.change({ op: 'put', item: strict });
      const resumed = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', maxVersion, session: before.session });
      assert.equal(resumed.isSessionReused(), false);
      assert.equal((await getOver(resumed, 'a.example', '/')).status, 400);
      const alice = await authority.issue({ commonName: 'alice' });
      const shown = connect({
        host: '127.0.0.1',
        port: gateway.httpsPort,
        rejectUnauthorized: false,
        servername: 'a.example',
        maxVersion,
        ...alice,
      });
      t.after(() => void shown.destroy());
      const sessions: Buffer[] = [];
      shown.on('session', (session) => sessions.push(session));
      await once(shown, 'secureConnect');
      assert.equal((await getOver(shown, 'a.example', '/')).status, 200);
      for (const session of [...sessions, shown.getSession()]) {
        if (session === undefined) continue;
        const stolen = await connectSecurely(t, gateway.httpsPort, { servername: 'a.example', maxVersion, session });
        assert.equal(stolen.isSessionReused(), false);
        assert.equal((await getOver(stolen, 'a.example', '/')).status, 400);
      }
    });
  }
});

test('certificates that change 20 times a second under load fail no request', async (t) => {
  const authority = await TestAuthority.create();
  const certificates = await Promise.all(Array.from({ length: 4 }, () => authority.issue({ names: ['a.example'] })));
  const gateway = await startSecure(t, [ssl('a', { snis: ['a.example'], ...certificates[0] })], {
    workers: [{ httpDescriptors: [], httpsDescriptors: [] }],
  });
  const options = { servername: 'a.example', ca: authority.cert, rejectUnauthorized: true };
  let done = false;
  let answered = 0;
  const kept = async (): Promise<void> => {
    const socket = await connectSecurely(t, gateway.httpsPort, options);
    while (!done) {
      assert.equal((await getOver(socket, 'a.example', '/')).status, 200);
      answered++;
    }
  };
  const fresh = async (): Promise<void> => {
    while (!done) {
      const socket = await connectSecurely(t, gateway.httpsPort, options);
      assert.equal((await getOver(socket, 'a.example', '/')).status, 200);
      answered++;
      socket.destroy();
    }
  };
  const load = Promise.all([kept(), kept(), fresh(), fresh()]);
  for (let change = 1; change <= 40; change++) {
    await Promise.all([pause(50), gateway.change({ op: 'put', item: ssl('a', { snis: ['a.example'], ...certificates[change % 4] }) })]);
  }
  done = true;
  await load;
  assert.ok(answered > 100, `${answered} answers`);
});
