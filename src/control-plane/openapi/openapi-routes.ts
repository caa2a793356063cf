import { readFileSync } from 'node:fs';
import { Type } from '../../schema/index.ts';
import type { ApiAnswer, ApiRoute } from '../http/index.ts';
import { buildDocument } from './build-document.ts';
import { describeRoutes, joinDescribed } from './describe-routes.ts';
import type { ApiDescription, DescribedApi } from './operation-description.ts';
import { renderDocsPage } from './page/render-docs-page.ts';

const tag = 'Product';
const DOCUMENT = '/api/openapi.json';
const PAGE = '/api/docs';

/** Everything comes from here, and nothing may be done but to look. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const DESCRIPTION: ApiDescription = {
  operations: {
    [`GET ${DOCUMENT}`]: {
      ...{ id: 'getOpenApiDocument', tag, summary: 'Give this document (OpenAPI 3.1)' },
      answers: { 200: { description: 'The document', schema: Type.Object({ openapi: Type.String() }) } },
    },
    [`GET ${PAGE}`]: {
      ...{ id: 'showDocsPage', tag, summary: 'Show this document as a page with search and example commands' },
      description: 'The page loads nothing from elsewhere.',
      answers: { 200: { description: 'The page', textTypes: ['text/html'] } },
    },
    [`GET ${PAGE}/docs-page.js`]: {
      ...{ id: 'getDocsPageScript', tag, summary: 'Give the script of the page' },
      answers: { 200: { description: 'The script', textTypes: ['text/javascript'] } },
    },
    [`GET ${PAGE}/docs-page.css`]: {
      ...{ id: 'getDocsPageStyle', tag, summary: 'Give the style of the page' },
      answers: { 200: { description: 'The style', textTypes: ['text/css'] } },
    },
  },
};

/**
 * The API with its own description: as an OpenAPI document and as a page. Both hold nothing that is secret or that a user has written, and
 * are open to everybody, because a browser that follows a link sends no token. They are made when they are first asked for.
 */
export function withOpenApi(api: DescribedApi, version: string): DescribedApi {
  const whole = (): DescribedApi => described;
  const routes = [
    serve(DOCUMENT, 'application/json', {}, () => JSON.stringify(buildDocument(whole(), version))),
    serve(PAGE, 'text/html; charset=utf-8', PAGE_HEADERS, () => renderDocsPage(whole(), version)),
    serve(`${PAGE}/docs-page.js`, 'text/javascript; charset=utf-8', {}, () => asset('docs-page.js')),
    serve(`${PAGE}/docs-page.css`, 'text/css; charset=utf-8', {}, () => asset('docs-page.css')),
  ];
  const described = joinDescribed([api, describeRoutes(routes, DESCRIPTION)]);
  return described;
}

function serve(path: string, contentType: string, headers: NonNullable<ApiAnswer['headers']>, make: () => string): ApiRoute {
  let content: string | undefined;
  return {
    method: 'GET',
    path,
    permission: 'public',
    handle: async () => {
      content ??= make();
      return { headers, body: undefined, text: { contentType, content } };
    },
  };
}

function asset(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}
