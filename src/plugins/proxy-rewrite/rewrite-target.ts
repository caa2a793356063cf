import { compileReplacement, compileTemplate, type Replacement, type SafeRegex, type Template } from '../../expression/index.ts';
import { escapePath, escapeTarget } from '../../lib/uri-escape.ts';
import { compileRegexes, type RequestView } from '../../plugin-kit/index.ts';
import type { Captures } from './header-edits.ts';

/** Where a new target comes from. */
export type TargetSource =
  | { readonly kind: 'template'; readonly template: Template }
  | { readonly kind: 'rules'; readonly rules: readonly TargetRule[] }
  /** The path stays. */
  | { readonly kind: 'none' };

interface TargetRule {
  readonly regex: SafeRegex;
  readonly replacement: Replacement;
}

/** A new target, and what the rule that made it has captured; without a target the client's own goes on. */
export interface NewTarget {
  readonly target: string | undefined;
  readonly captures: Captures | undefined;
}

const UNCHANGED: NewTarget = { target: undefined, captures: undefined };

/** Stands for a `?` that came out of a variable, and so begins no query; no byte string holds it. */
const INNER_QUESTION_MARK = '\u0100';
const INNER_QUESTION_MARKS = /\u0100/g;

/** `uri` goes before `regex_uri`, whose texts are expressions and replacements in turn. */
export function compileTargetSource(uri: string | undefined, regexUri: readonly string[] | undefined): TargetSource {
  if (uri !== undefined) return { kind: 'template', template: compileTemplate(uri) };
  if (regexUri === undefined) return { kind: 'none' };
  const regexes = compileRegexes(regexUri.filter((_, index) => index % 2 === 0));
  const replacements = regexUri.filter((_, index) => index % 2 === 1).map(compileReplacement);
  return { kind: 'rules', rules: regexes.map((regex, index) => ({ regex, replacement: replacements[index] ?? [] })) };
}

/**
 * The target that the upstream gets, worked out from the normalised, decoded path: its path part is escaped as nginx does, and the
 * client's query follows.
 */
export function rewriteTarget(request: RequestView, source: TargetSource): NewTarget {
  switch (source.kind) {
    case 'template': {
      const { text } = source.template.expand(request, (value) => value.replaceAll('?', INNER_QUESTION_MARK));
      return { target: withQuery(request, escaped(text, text.indexOf('?'), escapePath)), captures: undefined };
    }
    case 'rules': {
      const { path } = request;
      const rewritten = applyRules(path, source.rules);
      if (rewritten === undefined) return UNCHANGED;
      // A question mark of the client's own makes it impossible to tell where a new query begins, as in APISIX.
      const queryStart = path.includes('?') ? -1 : rewritten.text.indexOf('?');
      const target = escaped(rewritten.text, queryStart, pathEscapeFor(request));
      return { target: withQuery(request, target), captures: rewritten.captures };
    }
    case 'none':
      return UNCHANGED;
  }
}

/** The target worked out from the client's own, undecoded, which is neither normalised nor escaped: whoever asks for it knows what for. */
export function rewriteRawTarget(request: RequestView, source: TargetSource): NewTarget {
  const raw = rawTarget(request);
  switch (source.kind) {
    case 'template': {
      const { text } = source.template.expand(request, (value) => value.replaceAll('?', '%3F'));
      return { target: withQuery(request, escapeTarget(text)), captures: undefined };
    }
    case 'rules': {
      const rewritten = applyRules(raw, source.rules);
      return { target: targetOf(escapeTarget(rewritten?.text ?? raw)), captures: rewritten?.captures };
    }
    case 'none':
      return { target: raw, captures: undefined };
  }
}

/** The first rule that matches replaces its match once. */
function applyRules(text: string, rules: readonly TargetRule[]): { readonly text: string; readonly captures: Captures } | undefined {
  for (const { regex, replacement } of rules) {
    const match = regex.exec(text);
    if (match !== undefined) return { text: regex.replace(text, replacement, 'once'), captures: match.captures };
  }
  return undefined;
}

/** `queryStart` is where the configuration's own query begins; -1 for none. */
function escaped(text: string, queryStart: number, escapePart: (path: string) => string): string {
  const path = queryStart === -1 ? text : text.slice(0, queryStart);
  const query = queryStart === -1 ? '' : text.slice(queryStart);
  const parts = path.split(INNER_QUESTION_MARK).map(escapePart).join('%3F');
  return targetOf(parts + escapeTarget(query.replace(INNER_QUESTION_MARKS, '%3F')));
}

/**
 * An encoded slash stays `%2F` in a decoded path. It goes on as it came, unless the client has sent an encoded `%` as well: then it cannot
 * be told from a `%2F` that was meant literally, and what an upstream decodes must not become a separator.
 */
function pathEscapeFor({ rawTarget }: RequestView): (path: string) => string {
  if (rawTarget.includes('%25')) return escapePath;
  return (path) => path.split('%2F').map(escapePath).join('%2F');
}

/** The client's query, behind a query of the configuration's own. */
function withQuery({ query }: RequestView, target: string): string {
  if (query === '') return target;
  return `${target}${target.includes('?') ? '&' : '?'}${query}`;
}

function targetOf(text: string): string {
  return text.startsWith('/') ? text : `/${text}`;
}

/** As it was sent, but for arguments that other plugins have taken out. */
function rawTarget({ rawTarget, query }: RequestView): string {
  const [path = ''] = rawTarget.split('?', 1);
  return query === '' ? path : `${path}?${query}`;
}
