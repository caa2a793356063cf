import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHostsFile } from './hosts-file.ts';
import { namesToAsk, parseSearchSettings } from './search-list.ts';

test('a hosts file gives every name its addresses, in canonical spelling, and skips what is not valid', () => {
  const hosts = parseHostsFile(
    '127.0.0.1 localhost\n::1\tlocalhost ip6-localhost\n# 9.9.9.9 commented\n10.0.0.1  Backend backend.example # the backend\n::ffff:10.0.0.2 backend\n10.0.0.1 backend\nnonsense x\n10.0.0.3\n\r\n10.0.0.4 windows\r\n1.1.1.1 __proto__\n',
  );
  assert.deepEqual(hosts.get('localhost'), ['127.0.0.1', '::1']);
  assert.deepEqual(hosts.get('backend'), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(hosts.get('backend.example'), ['10.0.0.1']);
  assert.deepEqual(hosts.get('windows'), ['10.0.0.4']);
  assert.deepEqual(hosts.get('__proto__'), ['1.1.1.1']);
  assert.deepEqual([hosts.get('commented'), hosts.get('x'), hosts.get('')], [undefined, undefined, undefined]);
});

test('search domains and ndots are read as resolv.conf(5) says', () => {
  assert.deepEqual(parseSearchSettings(''), { search: [], ndots: 1 });
  const text = 'nameserver 10.0.0.10\nsearch old.example\nsearch ns.svc.cluster.local svc.cluster.local. .\noptions ndots:5 timeout:1\n';
  assert.deepEqual(parseSearchSettings(text), { search: ['ns.svc.cluster.local', 'svc.cluster.local'], ndots: 5 });
  assert.deepEqual(parseSearchSettings('domain a.example b.example\noptions ndots:99\noptions rotate\n'), {
    search: ['a.example'],
    ndots: 15,
  });
});

test('a name with few dots is searched first, one with many is asked as it is, one with a final dot only so', () => {
  const settings = { search: ['a.example', 'b.example'], ndots: 2 };
  assert.deepEqual(namesToAsk('web', settings), ['web.a.example', 'web.b.example', 'web']);
  assert.deepEqual(namesToAsk('web.x', settings), ['web.x.a.example', 'web.x.b.example', 'web.x']);
  assert.deepEqual(namesToAsk('web.x.y', settings), ['web.x.y', 'web.x.y.a.example', 'web.x.y.b.example']);
  assert.deepEqual(namesToAsk('web.', settings), ['web']);
  assert.deepEqual(namesToAsk('web', { search: [], ndots: 1 }), ['web']);
});
