import { compileTemplate, type VariableSource, type VariableValue } from '../../expression/index.ts';
import { byteStringOf } from '../../lib/byte-string.ts';
import { textHash } from '../../lib/text-hash.ts';
import type { HashRule } from '../../schema/index.ts';

/** The hash of a request's key. Requests of one key have one hash in every worker and instance. */
export type HashKey = (request: VariableSource) => number;

const FALLBACK = 'remote_addr';

/** Compiles the rule. A request without a value for the key is known by its client's address (APISIX, `balancer/chash.lua`). */
export function compileHashKey(rule: HashRule): HashKey {
  const textOf = textReader(rule);
  return (request) => textHash(textOf(request) || valueText(request.variable(FALLBACK)));
}

function textReader({ on, key }: HashRule): (request: VariableSource) => string {
  switch (on) {
    case 'vars':
      return variableReader(byteStringOf(key));
    case 'header':
      return variableReader(`http_${byteStringOf(key).toLowerCase().replaceAll('-', '_')}`);
    case 'cookie':
      return variableReader(`cookie_${byteStringOf(key)}`);
    case 'consumer':
      return variableReader('consumer_name');
    case 'vars_combinations': {
      const template = compileTemplate(key);
      return (request) => {
        const { text, resolved } = template.expand(request);
        return resolved === 0 ? '' : text;
      };
    }
  }
}

function variableReader(name: string): (request: VariableSource) => string {
  return (request) => valueText(request.variable(name));
}

function valueText(value: VariableValue): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : String(value);
}
