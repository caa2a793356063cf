import { compileTemplate } from '../../expression/index.ts';
import { addressGroup } from '../../lib/address-group.ts';
import { byteStringOf } from '../../lib/byte-string.ts';
import type { ConnectionView, VariableValue } from '../../plugin-kit/index.ts';

/** What counts apart, for one request. */
export type LimitKey = (request: ConnectionView) => string;

const CLIENT_ADDRESS = 'remote_addr';

/**
 * The key of a limiter (APISIX, limit-*): the value of a variable, a filled template or a constant; the client where the variable is not
 * there and where nothing in the template is. A client is an IPv4 address or the /64 of an IPv6 address, unless a template asks for
 * the address itself.
 */
export function compileLimitKey(keyType: 'var' | 'var_combination' | 'constant', key: string): LimitKey {
  switch (keyType) {
    case 'constant': {
      const text = byteStringOf(key);
      return () => text;
    }
    case 'var': {
      if (key === CLIENT_ADDRESS) return clientOf;
      const name = byteStringOf(key);
      return (request) => textOf(request.variable(name)) ?? clientOf(request);
    }
    case 'var_combination': {
      const template = compileTemplate(key);
      return (request) => {
        const { text, resolved } = template.expand(request);
        return resolved === 0 ? clientOf(request) : text;
      };
    }
  }
}

/** The key of one of several rules: undefined where nothing in its template is there, and then the rule does not apply. */
export function compileRuleKey(key: string): (request: ConnectionView) => string | undefined {
  const template = compileTemplate(key);
  return (request) => {
    const { text, resolved } = template.expand(request);
    return resolved === 0 ? undefined : text;
  };
}

function clientOf(request: ConnectionView): string {
  return addressGroup(request.remoteAddress);
}

function textOf(value: VariableValue): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : value.join(',');
}
