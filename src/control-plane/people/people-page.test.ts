import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readPageExamples } from '../../../test-support/curl-example.ts';
import { TOKEN } from '../testing/admin-fixture.ts';
import { makePeopleFixture } from '../testing/people-fixture.ts';

const DOCS = path.join(import.meta.dirname, '../../../docs');
/** What a reader takes from the answers; here each stands for itself until its answer has come. */
const VARIABLES = ['API_KEY', 'POLICY_ID', 'ROLE_ID', 'INVITE_TOKEN', 'JANES_KEY'];

test('the examples on the page about people work, one after the other', async (t) => {
  const { anybody, admin } = await makePeopleFixture(t);
  for (const name of VARIABLES) process.env[name] = `<${name}>`;
  t.after(() => {
    for (const name of VARIABLES) delete process.env[name];
  });
  const page = await readPageExamples(DOCS, 'people-and-tokens.md');
  assert.ok(page);
  const values = new Map([['API_KEY', TOKEN]]);
  const filled = (text: string) =>
    text.replaceAll(/<([A-Z_]+)>/g, (_, name) => values.get(name) ?? assert.fail(`${name} is not known yet`));
  const [policy, login] = page.json;
  assert.equal((await admin('POST', '/api/permission_policies', { ...policy, name: 'from the page' })).status, 200);
  assert.equal((await admin('POST', '/api/login_options', login)).status, 200);
  for (const { method, target, headers, body } of page.requests) {
    const own = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), filled(value)]));
    const answer = await anybody(method as 'PUT', target, body === undefined ? undefined : filled(body), own);
    assert.equal(answer.status, 200, `${method} ${target}: ${answer.text}`);
    const { value } = answer.body;
    if (target === '/api/permission_policies') values.set('POLICY_ID', value.id);
    if (target === '/api/roles') values.set('ROLE_ID', value.id);
    if (target === '/api/invites') values.set('INVITE_TOKEN', String(value.invitation_link).split('#')[1] ?? '');
    if (target === '/api/tokens') values.set('JANES_KEY', value.token);
  }
  assert.equal(values.size, VARIABLES.length);
});
