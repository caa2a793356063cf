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

/** The request of an example. `ids` are those that the server has made, by the path of the list. */
function exampleRequests(
  { path, content }: Operation,
  ids: ReadonlyMap<string, string>,
): readonly { readonly url: string; readonly body?: unknown }[] {
  const made = [...ids].find(([list]) => path.startsWith(`${list}/{`))?.[1];
  const parameters = content.parameters ?? [];
  let url = path;
  for (const { name, example } of parameters.filter((parameter) => parameter.in === 'path')) {
    url = url.replace(`{${name}}`, encodeURIComponent(made ?? example ?? ''));
  }
  const query = parameters.flatMap(({ name, in: place, example }) => (place === 'query' && example !== undefined ? [[name, example]] : []));
  if (query.length > 0) url += `?${new URLSearchParams(query)}`;
  const examples = Object.values(content.requestBody?.content['application/json']?.examples ?? {});
  return examples.length === 0 ? [{ url }] : examples.map(({ value }) => ({ url, body: value }));
}

/** In an order in which each finds what it needs. */
function inOrder(): readonly Operation[] {
  const of = (...methods: readonly string[]) => operations.filter(({ method }) => methods.includes(method));
  return [...of('PUT', 'POST'), ...of('GET'), ...of('PATCH'), ...of('DELETE').toReversed()];
}

test('each example is answered as the document says, and so are requests without credentials and for what is not there', async () => {
  const checker = new DocumentChecker(document);
  const ids = new Map<string, string>();
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
    for (const { url, body } of exampleRequests(operation, method === 'DELETE' ? ids : new Map())) {
      if (body !== undefined) {
        const place = ['paths', path, method.toLowerCase(), 'requestBody', 'content', 'application/json', 'schema'];
        assert.equal(checker.faults(place, body), '');
      }
      const answer = await admin.send(method, url, { body });
      assert.ok(answer.status < 300, `${method} ${url} ${answer.status} ${answer.text}`);
      check(operation, answer);
      if (method === 'POST' && !path.startsWith('/apisix/')) ids.set(path, answer.body.value.id);
      if (content.security === undefined) check(operation, await admin.send(method, url, { body, token: undefined }));
      if (method !== 'GET') check(operation, await admin.send(method, url, { body: [0] }));
      if (path.includes('{')) check(operation, await admin.send(method, url.replace('?', '-none?'), { body }));
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
