// What the gateway's workers use: the rest of this folder brings the event log's library into each thread (2 MB and 30 ms).
export { type AccessLog, openAccessLog } from './access-log.ts';
export { AccessLogStream } from './access-log-stream.ts';
