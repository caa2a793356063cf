import { definePlugin } from '../../plugin-kit/index.ts';
import { applyHeaderEdits, compileHeaderEdits, type HeaderEdits } from './header-edits.ts';
import { compileTargetSource, rewriteRawTarget, rewriteTarget, type TargetSource } from './rewrite-target.ts';
import { type ProxyRewriteConfiguration, proxyRewriteSchema } from './schema.ts';

interface ProxyRewriteState {
  readonly target: TargetSource;
  /** Start from the target as it was sent. */
  readonly raw: boolean;
  readonly host: string | undefined;
  readonly method: string | undefined;
  readonly headers: HeaderEdits | undefined;
}

/** Changes what the upstream receives of a request: path and query, Host, method, headers. As APISIX's proxy-rewrite. */
export const proxyRewrite = definePlugin<ProxyRewriteConfiguration, ProxyRewriteState>({
  ...proxyRewriteSchema,
  readsHeadLater: false,
  create: (configuration) => ({
    target: compileTargetSource(configuration.uri, configuration.regex_uri),
    raw: configuration.use_real_request_uri_unsafe,
    host: configuration.host,
    method: configuration.method,
    headers: configuration.headers && compileHeaderEdits(configuration.headers),
  }),
  phases: {
    rewrite: (request, state) => {
      if (state.host !== undefined) request.setUpstreamHost(state.host);
      const { target, captures } = state.raw ? rewriteRawTarget(request, state.target) : rewriteTarget(request, state.target);
      if (target !== undefined) request.setTarget(target);
      if (state.method !== undefined) request.setMethod(state.method);
      if (state.headers !== undefined) applyHeaderEdits(request, state.headers, captures);
      return undefined;
    },
  },
});
