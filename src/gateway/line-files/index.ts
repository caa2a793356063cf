export { SharedLineFiles, type SharedLineFilesOptions } from './shared-line-files.ts';
