import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { renderOperationsPage } from '../../../scripts/generate-operations.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { DocumentChecker, type DocumentOperation, type OpenApiDocument } from '../testing/document-checker.ts';

interface Operation {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly content: DocumentOperation;
}

let admin: AdminFixture;
let document: OpenApiDocument;
let operations: readonly Operation[];

before(async (context) => {
  admin = await makeAdminFixture(context as never);
  document = (await admin.send('GET', '/api/openapi.json', { token: undefined })).body;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, content]) => ({ method: method.toUpperCase() as Operation['method'], path, content })),
  );
});

test('the document is an OpenAPI 3.1 document by the official schema', async () => {
  assert.match(document.openapi, /^3\.1\./);
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  assert.ok(valid, JSON.stringify(errors));
});

test('the document has exactly the operations that the Admin API has', async () => {
  assert.equal(operations.length, admin.routes.length);
  for (const [path, methods] of Object.entries(document.paths)) {
    const refused = await admin.send('OPTIONS', path.replaceAll(/[{}]/g, ''));
    assert.equal(refused.status, 405, path);
    const allowed = String(refused.headers.allow)
      .split(', ')
      .filter((method) => method !== 'HEAD');
    assert.deepEqual(
      Object.keys(methods)
        .map((method) => method.toUpperCase())
        .toSorted(),
      allowed.toSorted(),
      path,
    );
  }
});

test('each operation has an id of its own, and a security that agrees with its permission', () => {
  assert.equal(new Set(operations.map(({ content }) => content.operationId)).size, operations.length);
  const open = operations.filter(({ content }) => content.security?.length === 0).map(({ path }) => path);
  const routes = admin.routes.filter(({ permission }) => permission === 'public').map(({ path }) => path.replaceAll(/:(\w+)/g, '{$1}'));
  assert.deepEqual(open, routes);
});

test('each schema of the document is one of JSON Schema 2020-12 that leads nowhere else, and is referred to', () => {
  const checker = new DocumentChecker(document);
  const text = JSON.stringify(document);
  for (const name of Object.keys(document.components.schemas)) {
    checker.faults(['components', 'schemas', name], {});
    assert.ok(text.includes(`"#/components/schemas/${name}"`), `nothing refers to ${name}`);
  }
});

/** Stands in examples for ids that only the server makes. */
const MADE_ID = '7d3c1f0a-4b52-4a7e-9a55-0f6f3f0c9b11';
/** Where a thing is made whose id stands below another path. */
const MADE_AT: ReadonlyMap<string, string> = new Map([['/api/users', '/api/invites']]);

/** What of an example cannot be known before: passwords, and what an invite said. */
const BODIES: Readonly<Record<string, (invited: string) => unknown>> = {
  signIn: () => ({ username: 'admin', password: 'password' }),
  changePassword: () => ({ old_password: 'password', new_password: 'choose-a-long-sentence-of-your-own' }),
  acceptInvite: (invited) => ({ token: invited.split('#')[1], password: 'choose-a-long-sentence-of-your-own' }),
};

/** Examples that need an identity provider, or what an example before has used up. */
const REFUSED: Readonly<Record<string, number>> = {
  beginSignIn: 404,
  completeSignIn: 401,
  withdrawInvite: 404,
  getJoinToken: 404,
  revokeJoinToken: 404,
};

/** The requests of an operation's examples. `ids` are those that the server has made, by the path of the list. */
function exampleRequests(
  { method, path, content }: Operation,
  ids: ReadonlyMap<string, string>,
  invited: string,
): readonly { readonly url: string; readonly body?: unknown }[] {
  const list = path.split('/{')[0] ?? '';
  const made = ids.get(MADE_AT.get(list) ?? list);
  const parameters = content.parameters ?? [];
  let url = path;
  for (const { name, example = '' } of parameters.filter((parameter) => parameter.in === 'path')) {
    const isMade = example === MADE_ID || (method === 'DELETE' && made !== undefined);
    url = url.replace(`{${name}}`, encodeURIComponent(isMade ? (made ?? '') : example));
  }
  const query = parameters.flatMap(({ name, in: place, example }) => (place === 'query' && example !== undefined ? [[name, example]] : []));
  if (query.length > 0) url += `?${new URLSearchParams(query)}`;
  const examples = Object.values(content.requestBody?.content['application/json']?.examples ?? {});
  if (examples.length === 0) return [{ url }];
  return examples.map(({ value }) => ({ url, body: BODIES[content.operationId]?.(invited) ?? value }));
}

/** What of an example depends on what was written before: a revision that there is. */
async function withRevision(url: string, body: unknown): Promise<{ readonly url: string; readonly body?: unknown }> {
  const history = /^(.*?)\/(?:versions\/1(?:\/revert)?|revert|revert_and_revive)(\?.*|)$/.exec(url);
  if (history === null) return { url, body };
  const [, resource = '', query = ''] = history;
  const isGroup = resource.startsWith('/api/gateway_groups/') && !url.includes('/versions/');
  const answer = await admin.send('GET', `${resource}${isGroup ? '/revisions' : ''}${query}`);
  const revision = isGroup ? answer.body.kept_from : Number(String(answer.headers.etag).replaceAll('"', ''));
  return { url: url.replace('/versions/1', `/versions/${revision}`), body: body === undefined ? body : { ...body, revision } };
}

/** In an order in which each finds what it needs. */
function inOrder(): readonly Operation[] {
  const of = (...methods: readonly string[]) => operations.filter(({ method }) => methods.includes(method));
  const needsMade = ({ content }: Operation) => content.parameters?.some(({ example }) => example === MADE_ID) === true;
  const isRevert = ({ path }: Operation) => path.includes('/revert');
  const writes = of('PUT', 'POST').filter((write) => !isRevert(write));
  return [
    ...[...writes.filter((write) => !needsMade(write)), ...writes.filter(needsMade)],
    ...[...of('GET'), ...of('PATCH'), ...operations.filter(isRevert), ...of('DELETE').toReversed()],
  ];
}

test('each example is answered as the document says, and so are requests without credentials and for what is not there', async () => {
  const checker = new DocumentChecker(document);
  const ids = new Map<string, string>();
  let invited = '';
  const check = ({ method, path, content }: Operation, answer: Awaited<ReturnType<AdminFixture['send']>>): void => {
    const name = `${method} ${path} ${answer.status} ${answer.text.slice(0, 300)}`;
    const response = content.responses[answer.status];
    assert.ok(response !== undefined, `no such answer is documented: ${name}`);
    const type = String(answer.headers['content-type'] ?? '').split(';')[0] ?? '';
    const key = response.$ref?.split('/').at(-1);
    const place =
      key === undefined ? ['paths', path, method.toLowerCase(), 'responses', String(answer.status)] : ['components', 'responses', key];
    const described = key === undefined ? response.content : document.components.responses[key]?.content;
    if (type === '') assert.equal(described, undefined, name);
    else assert.ok(described?.[type] !== undefined, `${type} is not documented: ${name}`);
    if (type === 'application/json') assert.equal(checker.faults([...place, 'content', type, 'schema'], answer.body), '', name);
  };
  for (const operation of inOrder()) {
    const { method, path, content } = operation;
    const headers = { 'content-type': 'application/json' };
    for (const request of exampleRequests(operation, ids, invited)) {
      const { url, body } = await withRevision(request.url, request.body);
      if (body !== undefined) {
        const place = ['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'];
        assert.equal(checker.faults(place, body), '');
      }
      const answer = await admin.send(method, url, { body, headers });
      const expected = REFUSED[content.operationId];
      const isExpected = expected === undefined ? answer.status < 300 : answer.status === expected;
      assert.ok(isExpected, `${method} ${url} ${answer.status} ${answer.text}`);
      check(operation, answer);
      if (method === 'POST' && typeof answer.body?.value?.id === 'string') ids.set(path, answer.body.value.id);
      if (content.operationId === 'inviteUser') invited = answer.body.value.invitation_link;
      if (content.security === undefined) check(operation, await admin.send(method, url, { body, headers, token: undefined }));
      if (method !== 'GET') check(operation, await admin.send(method, url, { body: [0], headers }));
      if (path.includes('{')) check(operation, await admin.send(method, url.replace(/(?=\?|$)/, '-none'), { body, headers }));
    }
  }
});

test('each value that a parameter of a reading operation may have is taken, and a value that it may not have is refused', async () => {
  for (const operation of operations.filter(({ method }) => method === 'GET')) {
    const [{ url } = { url: '' }] = exampleRequests(operation, new Map(), '');
    for (const { name, schema } of operation.content.parameters ?? []) {
      for (const value of schema?.enum ?? []) {
        const answer = await admin.send('GET', `${url}${url.includes('?') ? '&' : '?'}${name}=${value}`);
        assert.notEqual(answer.status, 400, `${url} ${name}=${value} ${answer.text}`);
        assert.ok(operation.content.responses[answer.status] !== undefined, `${url} ${answer.status}`);
      }
      if (!['page', 'page_size', 'order_by', 'direction'].includes(name)) continue;
      const refused = await admin.send('GET', `${url}${url.includes('?') ? '&' : '?'}${name}=none`);
      assert.equal(refused.status, 400, `${url} ${name}`);
    }
  }
});

test('each example of an answer is one by its schema', () => {
  const checker = new DocumentChecker(document);
  for (const { method, path, content } of operations) {
    for (const [status, response] of Object.entries(content.responses)) {
      for (const [type, { example }] of Object.entries(response.content ?? {})) {
        if (example === undefined) continue;
        assert.equal(checker.faults(['paths', path, method.toLowerCase(), 'responses', status, 'content', type, 'schema'], example), '');
      }
    }
  }
});

test('the page of all operations is what the document says', async () => {
  const page = await readFile(new URL('../../../docs/reference/admin-api-operations.md', import.meta.url), 'utf8');
  assert.equal(page, renderOperationsPage(document), 'run: npm run generate');
});
