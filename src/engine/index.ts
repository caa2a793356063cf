export type { EngineLimits, EngineTimeouts } from './engine-options.ts';
export type {
  ClientConnection,
  Exchange,
  ExchangeHandler,
  ForwardPlan,
  LocalAnswer,
  RequestHead,
  UpstreamTarget,
} from './exchange.ts';
export { HttpServer, type HttpServerOptions, type ListenAddress } from './http-server.ts';
export { UpstreamPool, type UpstreamPoolOptions } from './upstream/upstream-pool.ts';
