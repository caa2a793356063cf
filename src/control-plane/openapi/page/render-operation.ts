import { refusalsOf, shownPath } from '../build-document.ts';
import { documentSchema } from '../document-schema.ts';
import type { AnswerDescription, DescribedRoute } from '../operation-description.ts';
import { REFUSALS, REQUEST_HEADERS } from '../shared-components.ts';
import { curlCommand, searchText } from './curl-command.ts';
import { type Html, html, proseHtml } from './html.ts';
import { renderSchema } from './render-schema.ts';

/** One operation of the page, folded: parameters, body, example commands, answers. */
export function renderOperation(route: DescribedRoute): Html {
  const { id, summary, description } = route.description;
  return html`<details class="operation" id="${id}" data-search="${searchText(route)}">
<summary><span class="method ${route.method.toLowerCase()}">${route.method}</span> <code>${shownPath(route)}</code> <span class="summary">${summary}</span></summary>
<div class="content">
${description === undefined ? html`` : html`<p>${proseHtml(description)}</p>`}
<p>Permission: <code>${route.permission}</code></p>
${parametersOf(route)}${bodyOf(route)}${examplesOf(route)}
<h4>Answers</h4>
<ul class="answers">${Object.entries(route.description.answers).map(([status, answer]) => answerOf(status, answer))}${refusals(route)}</ul>
</div>
</details>
`;
}

function parametersOf({ description }: DescribedRoute): Html {
  const inPath = Object.entries(description.path ?? {}).map(([name, parameter]) =>
    row(parameter.name ?? name, 'path', true, html`${proseHtml(parameter.description)} ${renderSchema(documentSchema(parameter.schema))}`),
  );
  const inQuery = (description.query ?? []).map(({ name, isRequired, schema, description: about }) =>
    row(name, 'query', isRequired === true, html`${proseHtml(about)} ${renderSchema(documentSchema(schema))}`),
  );
  const headers = (description.headers ?? []).map((name) =>
    row(name, 'header', false, proseHtml(String(REQUEST_HEADERS[name].description))),
  );
  const rows = [...inPath, ...inQuery, ...headers];
  return rows.length === 0 ? html`` : html`<h4>Parameters</h4><table>${rows}</table>`;
}

function row(name: string, place: string, isRequired: boolean, about: Html): Html {
  const mark = isRequired ? html` <span class="required">required</span>` : html``;
  return html`<tr><td><code>${name}</code>${mark}</td><td>${place}</td><td>${about}</td></tr>`;
}

function bodyOf({ description: { body } }: DescribedRoute): Html {
  if (body === undefined) return html``;
  return html`<h4>Body${body.isOptional === true ? ' (may be left out)' : ''}</h4><div>${renderSchema(documentSchema(body.schema))}</div>`;
}

function examplesOf(route: DescribedRoute): Html {
  const examples = route.description.body?.examples ?? [];
  const commands =
    examples.length === 0
      ? [{ title: 'Example', command: curlCommand(route, undefined) }]
      : examples.map(({ summary, value }) => ({ title: summary, command: curlCommand(route, value) }));
  return html`${commands.map(
    ({ title, command }) =>
      html`<h4>${title}</h4><div class="command"><button type="button" class="copy" hidden>Copy</button><pre>${command}</pre></div>`,
  )}`;
}

function answerOf(status: string, { description, schema, example, headers = [] }: AnswerDescription): Html {
  const named = headers.length === 0 ? html`` : html` <span class="limit">${headers.join(', ')}</span>`;
  const shown = example === undefined ? html`` : html`<pre>${JSON.stringify(example, undefined, 2)}</pre>`;
  const body = schema === undefined ? html`` : html`<div>${renderSchema(documentSchema(schema))}</div>`;
  return html`<li><b>${status}</b> ${proseHtml(description)}${named}${body}${shown}</li>`;
}

function refusals(route: DescribedRoute): readonly Html[] {
  return refusalsOf(route).map((status) => html`<li><b>${status}</b> ${proseHtml(REFUSALS[status].description)}</li>`);
}
