import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';
import { buildDocument } from './build-document.ts';
import { describeRoutes, joinDescribed } from './describe-routes.ts';
import { documentSchema } from './document-schema.ts';
import type { OperationDescription } from './operation-description.ts';
import { curlCommand } from './page/curl-command.ts';

const ROUTE: ApiRoute = { method: 'PUT', path: '/a/:id', permission: 'gateway:GetConsumer', handle: async () => ({ body: {} }) };
const SAID: OperationDescription = { id: 'putA', tag: 'A', summary: 'Put', answers: { 200: { description: 'Done' } } };

test('a route without a description, and a description without a route, are errors', () => {
  assert.throws(() => describeRoutes([ROUTE], { operations: {} }), /the operation PUT \/a\/:id has no description/);
  const operations = { 'PUT /a/:id': SAID, 'GET /a/:id': SAID };
  assert.throws(() => describeRoutes([ROUTE], { operations }), /descriptions without an operation: GET \/a\/:id/);
});

test('a parameter of the path without a description is an error', () => {
  const api = describeRoutes([ROUTE], { operations: { 'PUT /a/:id': SAID } });
  assert.throws(() => buildDocument(api, '1'), /the parameter id of \/a\/:id has no description/);
});

test('two schemas of one name are an error unless they are the same', () => {
  const schema = Type.String();
  assert.deepEqual(
    joinDescribed([
      { routes: [], schemas: { A: schema } },
      { routes: [], schemas: { A: schema } },
    ]).schemas,
    { A: schema },
  );
  assert.throws(
    () =>
      joinDescribed([
        { routes: [], schemas: { A: schema } },
        { routes: [], schemas: { A: Type.Integer() } },
      ]),
    /called A/,
  );
});

test('what may be null is a type of its own, and a field that is called like a keyword stays a field', () => {
  const schema = Type.Object({
    nullable: Type.Optional(Type.Unsafe<boolean | null>({ type: 'boolean', nullable: true })),
    default: Type.String({ default: 'nullable' }),
  });
  assert.deepEqual(documentSchema(schema), {
    type: 'object',
    required: ['default'],
    properties: { nullable: { type: ['boolean', 'null'] }, default: { type: 'string', default: 'nullable' } },
  });
});

test('a command reads no text of its example as anything but itself', () => {
  const path = { id: { description: 'An id', schema: Type.String(), example: 'a"$b`/' } };
  const [route] = describeRoutes([ROUTE], { operations: { 'PUT /a/:id': { ...SAID, path } } }).routes;
  assert.ok(route !== undefined);
  const command = curlCommand(route, { text: "it's $HOME" });
  assert.match(command, /"\$ADMIN\/a\/a%22%24b%60%2F"/);
  assert.ok(command.includes(`-d '{"text":"it'\\''s $HOME"}'`));
});
