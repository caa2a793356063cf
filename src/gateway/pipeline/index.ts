export { ClientHeaderRules } from './client-header-rules.ts';
export type { ConsumerDirectory } from './context-surroundings.ts';
export { FilterFailure } from './filter-answer.ts';
export { REQUEST_ID_HEADER } from './local-answers.ts';
export { Pipeline, type PipelineOptions } from './pipeline.ts';
