export { ClientHeaderRules } from './client-header-rules.ts';
export { REQUEST_ID_HEADER } from './local-answers.ts';
export { Pipeline, type PipelineOptions } from './pipeline.ts';
export type { ConsumerDirectory } from './request-context.ts';
