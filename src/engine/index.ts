export type { ConnectionAdmission } from './connection-admission.ts';
export {
  DEFAULT_ENGINE_LIMITS,
  DEFAULT_ENGINE_TIMEOUTS,
  type EngineLimits,
  type EngineSettings,
  type EngineTimeouts,
} from './engine-options.ts';
export type {
  ClientConnection,
  Exchange,
  ExchangeHandler,
  ForwardPlan,
  LocalAnswer,
  RequestHead,
  UpstreamTarget,
} from './exchange.ts';
export { HttpServer, type HttpServerOptions } from './http-server.ts';
export type { ProxyTrust } from './proxy-protocol/proxy-preludes.ts';
export type { BodyFilter, ResponseFilter, ResponseHeadEditor } from './response-filter.ts';
export { DatagramServer, type DatagramServerOptions } from './streams/datagram-server.ts';
export type { StreamFacts, StreamHandler, StreamOwner, StreamPlan, StreamProtocol } from './streams/stream-plan.ts';
export { StreamServer, type StreamServerOptions } from './streams/stream-server.ts';
export type { ClientHello } from './tls/client-hello.ts';
export type { ClientCertificate, ClientTls } from './tls/client-tls.ts';
export type { HandshakeFailure } from './tls/handshake-events.ts';
export type { ServerTerms, TlsChooser } from './tls/server-terms.ts';
export type { UpstreamIdentity, UpstreamTls, UpstreamTlsFailure } from './tls/upstream-tls.ts';
export { chooseTransport, type TransportChoice, type TransportWish } from './transport/choose-transport.ts';
export type { ListenAddress } from './transport/client-listener.ts';
export type { TransportKind } from './transport/transport-kind.ts';
export type { KeepAliveSettings } from './upstream/keep-alive-settings.ts';
export { UpstreamPool, type UpstreamPoolOptions } from './upstream/upstream-pool.ts';
