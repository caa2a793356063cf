import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { DEFAULT_ENGINE_LIMITS } from './engine/index.ts';
import { hostileRequests, SMUGGLED } from './engine/testing/hostile-requests.ts';
import { startRecordingUpstream } from './engine/testing/recording-upstream.ts';
import { type ReferenceRequestHead, readReferenceRequest } from './engine/testing/reference-request.ts';
import { lowerCase } from './engine/testing/reference-scan.ts';
import { sendRaw } from './engine/testing/send-raw.ts';
import { guideItems, routeItem } from './gateway/testing/guide-items.ts';
import { startTestGateway } from './gateway/testing/test-gateway.ts';

const KEY = 'apikey: secret-api-key\r\n';

// What happens to hostile requests when a whole gateway stands between them and an upstream.
const upstream = await startRecordingUpstream();
after(() => upstream.close());
const gateway = await startTestGateway({ after });
await gateway.load([
  ...guideItems(upstream.port),
  routeItem('guarded', { paths: ['/*'], plugins: { 'key-auth': { header: 'apikey' } } }),
  routeItem('open', { paths: ['/open/*'] }),
]);
await gateway.agent.whenReady();

/** Sends the text and gives the whole requests that reached the upstream. */
async function forwardedOf(
  text: string,
): Promise<{ readonly statuses: readonly number[]; readonly heads: readonly ReferenceRequestHead[] }> {
  upstream.clear();
  const { statuses } = await sendRaw(gateway.httpPort, text);
  return { statuses, heads: headsIn(upstream.received()) };
}

test('no request without a key reaches the upstream, whatever it is wrapped in', async () => {
  for (const { name, text } of hostileRequests) {
    upstream.clear();
    const { statuses } = await sendRaw(gateway.httpPort, text + SMUGGLED);
    assert.equal(upstream.received(), '', name);
    // What is asked of the gateway itself it answers to anybody (RFC 9110 §9.3.7); what was put behind that is refused as ever.
    if (name === 'OPTIONS *') assert.deepEqual(statuses, [200, 401]);
    else for (const status of statuses) assert.ok(status >= 400, `${name}: ${statuses}`);
  }
});

test('a valid key opens the door for its own request only', async () => {
  for (const { name, text } of hostileRequests) {
    // The key goes behind the first Host line, into the outer request alone.
    const { heads } = await forwardedOf(text.replace(/\r\nHost: a([^\r]*)\r\n/, `\r\nHost: a$1\r\n${KEY}`) + SMUGGLED);
    assert.ok(heads.length <= 1, `${name}: ${heads.map(({ target }) => target)}`);
    for (const { target, fields } of heads) {
      assert.ok(!/inner|smuggled/.test(target), `${name}: ${target}`);
      assert.deepEqual(valuesLike(fields, 'x-consumer-username'), ['jack'], name);
    }
  }
});

describe('nobody says who they are but by a key', () => {
  const spellings = ['X-Consumer-Username', 'x-consumer-username', 'X_Consumer_Username', 'X-Consumer_Username', 'x_CONSUMER-username'];
  for (const spelling of spellings) {
    for (const [kind, lines] of [
      ['alone', `${spelling}: admin\r\n`],
      ['named by Connection', `${spelling}: admin\r\nConnection: ${spelling}\r\n`],
      ['with the gateway’s name in Connection', `${spelling}: admin\r\nConnection: X-Consumer-Username\r\n`],
      ['twice', `${spelling}: admin\r\n${spelling}: root\r\n`],
    ] as const) {
      test(`${spelling}, ${kind}`, async () => {
        const known = await forwardedOf(`GET /x HTTP/1.1\r\nHost: a\r\n${lines}${KEY}\r\n`);
        assert.deepEqual(known.statuses, [200]);
        assert.deepEqual(
          known.heads.map(({ fields }) => valuesLike(fields, 'x-consumer-username')),
          [['jack']],
        );
        const unknown = await forwardedOf(`GET /open/x HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
        assert.deepEqual(unknown.statuses, [200]);
        assert.deepEqual(
          unknown.heads.map(({ fields }) => valuesLike(fields, 'x-consumer-username')),
          [[]],
        );
      });
    }

    test(`${spelling} as a trailer`, async () => {
      const text = `POST /open/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${spelling}: admin\r\nX-Other: 1\r\n\r\n`;
      const { statuses } = await forwardedOf(text);
      assert.deepEqual(statuses, [200]);
      assert.ok(upstream.received().endsWith('\r\n2\r\nok\r\n0\r\nX-Other: 1\r\n\r\n'), upstream.received());
    });
  }
});

test('a credential that Connection names is still looked at, and a wrong one still refused', async () => {
  assert.deepEqual((await forwardedOf(`GET /x HTTP/1.1\r\nHost: a\r\n${KEY}Connection: apikey\r\n\r\n`)).statuses, [200]);
  const wrong = await forwardedOf('GET /x HTTP/1.1\r\nHost: a\r\napikey: wrong\r\nConnection: apikey, close\r\n\r\n');
  assert.deepEqual(wrong, { statuses: [401], heads: [] });
  const foreign = await forwardedOf('GET /x HTTP/1.1\r\nHost: a\r\nap_ikey: secret-api-key\r\napi-key: secret-api-key\r\n\r\n');
  assert.deepEqual(foreign, { statuses: [401], heads: [] });
});

test('what the gateway says of the client cannot be removed or said by the client', async () => {
  const claims = 'X-Real-IP: 1.2.3.4\r\nX_Real_IP: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n';
  const connection = 'Connection: X-Real-IP, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, X-Forwarded-Port, Host\r\n';
  const { heads } = await forwardedOf(`GET /open/x HTTP/1.1\r\nHost: a\r\n${claims}${connection}\r\n`);
  assert.equal(heads.length, 1);
  const fields = heads[0]?.fields ?? [];
  assert.deepEqual(valuesLike(fields, 'x-real-ip'), ['127.0.0.1']);
  assert.deepEqual(valuesLike(fields, 'x-forwarded-host'), ['a']);
  assert.deepEqual(valuesLike(fields, 'x-forwarded-proto'), ['http']);
  assert.equal(valuesLike(fields, 'host').length, 1);
});

test('no spelling of a path that begins in the open route leaves it', async () => {
  const up = [
    '..',
    '%2e%2e',
    '.%2e',
    '%2E.',
    '..%2f',
    '%2e%2e%2f',
    '..%5c',
    '..\\',
    '%2e%2e\\',
    '..;',
    '..%00',
    '....//',
    '.../',
    '%252e%252e',
  ];
  for (const spelling of up) {
    for (const target of [
      `/open/${spelling}/secret`,
      `/open/x/${spelling}/${spelling}/secret`,
      `//open/${spelling}/secret`,
      `/open%2f${spelling}/secret`,
    ]) {
      const { statuses, heads } = await forwardedOf(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const [status] = statuses;
      assert.equal(statuses.length, 1, target);
      // Either it is refused, or what goes on is still below the open route when an upstream resolves it.
      if (heads.length === 0) assert.ok(status === 400 || status === 401 || status === 404, `${target}: ${status}`);
      for (const head of heads) assert.ok(resolved(head.target).startsWith('/open/'), `${target} went on as ${head.target}`);
    }
  }
});

test('a client that ends its side at any byte of a request gets one answer or none, and nobody sees half of it as whole', async () => {
  const text = `POST /x HTTP/1.1\r\nHost: a\r\n${KEY}Content-Length: 4\r\n\r\nbody`;
  for (let length = 0; length <= text.length; length++) {
    const { statuses } = await forwardedOf(text.slice(0, length));
    const whole = length === text.length;
    assert.deepEqual([statuses, upstream.requests().length], whole ? [[200], 1] : [[], 0], `ended behind ${length} bytes`);
  }
});

function headsIn(text: string): readonly ReferenceRequestHead[] {
  const heads: ReferenceRequestHead[] = [];
  for (let rest = text; rest !== ''; ) {
    const reading = readReferenceRequest(rest, DEFAULT_ENGINE_LIMITS);
    if (reading.kind !== 'whole') break;
    heads.push(reading.head);
    rest = rest.slice(reading.end);
  }
  return heads;
}

/** Values of all fields that an upstream could take for this one: `_` and `-` are the same to many. */
function valuesLike(fields: ReferenceRequestHead['fields'], name: string): readonly string[] {
  return fields.filter(([candidate]) => lowerCase(candidate).replaceAll('_', '-') === name).map(([, value]) => value);
}

/** What the most lenient of upstreams makes of a path: decoded once, separators of all kinds, dot segments resolved. */
function resolved(target: string): string {
  const decoded = target
    .replace(/\?.*$/, '')
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  const segments: string[] = [];
  for (const segment of decoded.replaceAll('\\', '/').split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}
