export { ClientHeaderRules } from './client-header-rules.ts';
export type { ConsumerDirectory } from './context-surroundings.ts';
export { FilterFailure } from './filter-answer.ts';
export { inTime } from './in-time.ts';
export { REQUEST_ID_HEADER } from './local-answers.ts';
export { logField } from './log-field.ts';
export { NodeAttempts } from './node-attempts.ts';
export { type LineLog, Pipeline, type PipelineOptions } from './pipeline.ts';
export { RequestIds } from './request-id.ts';
