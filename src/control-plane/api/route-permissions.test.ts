import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePeopleFixture } from '../testing/people-fixture.ts';

/** What anybody may ask for without being somebody, and why. A new route belongs here only with a reason. */
const PUBLIC = [
  'GET /healthz',
  'GET /api/status',
  'POST /api/login',
  'POST /api/invites/accept',
  'GET /api/sign_in_options',
  'GET /api/oidc/:id/login',
  'GET /api/oidc/callback',
  // It describes what there is, and holds no secret; a browser that follows a link sends no token.
  ...['GET /api/openapi.json', 'GET /api/docs', 'GET /api/docs/docs-page.js', 'GET /api/docs/docs-page.css'],
];

test('every route names its permission, and few are public', async (t) => {
  const { routes } = await makePeopleFixture(t);
  assert.ok(routes.length > 60);
  for (const { permission, method, path } of routes) {
    assert.match(permission ?? '', /^(public|signed-in|(gateway|iam):[A-Z][A-Za-z]+)$/, `${method} ${path}`);
  }
  const open = routes.filter(({ permission }) => permission === 'public').map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(open, PUBLIC);
});

test('a user without any role gets nothing from any route but what concerns himself', async (t) => {
  const fixture = await makePeopleFixture(t);
  const { send } = await fixture.makePerson('nobody');
  for (const { method, path, permission, groupScoped } of fixture.routes) {
    if (permission === 'public' || permission === 'signed-in') continue;
    // What lies in a group is refused where the group is told: without it nobody is told anything.
    const url = path.replaceAll(/:[a-z_]+/g, 'x') + (groupScoped === true ? '?gateway_group_id=default' : '');
    const answer = await send(method, url, method === 'GET' || method === 'DELETE' ? undefined : {});
    assert.deepEqual([answer.status, answer.body.error_msg.includes(permission)], [403, true], `${method} ${url}: ${answer.text}`);
  }
});
