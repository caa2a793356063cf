export { StreamPipeline } from './stream-pipeline.ts';
