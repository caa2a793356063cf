import { documentSchema } from '../document-schema.ts';
import type { DescribedApi, DescribedRoute } from '../operation-description.ts';
import { type Html, html } from './html.ts';
import { renderOperation } from './render-operation.ts';
import { renderSchema, schemaAnchor } from './render-schema.ts';

/**
 * The Admin API as one page, which can be read without its script; the script adds the search. It is made here rather than by one of the
 * known viewers, whose bundles weigh megabytes and need a policy that lets inline styles or evaluated code through.
 */
export function renderDocsPage({ routes, schemas }: DescribedApi, version: string): string {
  const byTag = [...Map.groupBy(routes, ({ description }) => description.tag)];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portcullis Admin API</title>
<link rel="stylesheet" href="/api/docs/docs-page.css">
<script src="/api/docs/docs-page.js" defer></script>
</head>
<body>
<header>
<h1>Portcullis Admin API <small>${version}</small></h1>
<p class="tools"><input id="search" type="search" placeholder="Search: path, method, word, permission" aria-label="Search" hidden>
<button id="expand" type="button" hidden>Expand all</button> <button id="collapse" type="button" hidden>Collapse all</button>
<a href="/api/openapi.json">openapi.json</a></p>
<p id="found" role="status"></p>
</header>
<nav>${byTag.map(([tag, ofTag]) => navigation(tag, ofTag))}<p><a href="#schemas">Schemas</a></p></nav>
<main>
<p>Tell the commands below where the Admin API is, and a token of yours:</p>
<pre id="setting">export ADMIN=https://localhost:7443 API_KEY=…</pre>
${byTag.map(([tag, ofTag]) => section(tag, ofTag))}
<section id="schemas"><h2>Schemas</h2>${Object.entries(schemas).map(([name, schema]) => {
    return html`<details class="operation" id="${schemaAnchor(name)}" data-search="${`schema ${name}`.toLowerCase()}"><summary><code>${name}</code></summary><div class="content">${renderSchema(documentSchema(schema))}</div></details>
`;
  })}</section>
</main>
</body>
</html>
`;
  return page.toString();
}

function section(tag: string, routes: readonly DescribedRoute[]): Html {
  return html`<section id="${anchorOf(tag)}"><h2>${tag}</h2>
${routes.map(renderOperation)}</section>
`;
}

function navigation(tag: string, routes: readonly DescribedRoute[]): Html {
  return html`<p><a href="#${anchorOf(tag)}">${tag}</a> <small>${routes.length}</small></p>
`;
}

function anchorOf(tag: string): string {
  return `tag-${tag.toLowerCase().replaceAll(' ', '-')}`;
}
