/** Header fields of answers that belong to the engine; a plugin cannot set them. */
export const ENGINE_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'portcullis-request-id',
  'proxy-connection',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-apisix-upstream-status',
]);
