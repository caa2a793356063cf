import type { SafeRegex } from '../../expression/index.ts';
import { compileRegexes, definePlugin, type PluginAnswer, type RequestView, refuse } from '../../plugin-kit/index.ts';
import { type UriBlockerConfiguration, uriBlockerSchema } from './schema.ts';

interface UriBlockerState {
  readonly rules: readonly SafeRegex[];
  readonly refusal: PluginAnswer;
}

/** Refuses requests whose path and query match a rule. As APISIX's uri-blocker. */
export const uriBlocker = definePlugin<UriBlockerConfiguration, UriBlockerState>({
  ...uriBlockerSchema,
  readsHeadLater: false,
  create: (configuration) => ({
    rules: compileRegexes(configuration.block_rules, { ignoreCase: configuration.case_insensitive }),
    refusal: refusalOf(configuration),
  }),
  phases: {
    rewrite: (request, { rules, refusal }) => {
      // APISIX joins the rules to one expression, and an empty one matches everything.
      if (rules.length === 0) return refusal;
      const target = requestUri(request);
      return rules.some((rule) => rule.test(target)) ? refusal : undefined;
    },
  },
});

function refusalOf({ rejected_code: status, rejected_msg: message }: UriBlockerConfiguration): PluginAnswer {
  return message === undefined
    ? refuse('uri_blocked', { status, style: 'gateway' })
    : refuse('uri_blocked', { status, message, style: 'error_msg' });
}

/** APISIX's `$request_uri`: the normalised, decoded path with the query as sent. */
function requestUri({ path, query }: RequestView): string {
  return query === '' ? path : `${path}?${query}`;
}
