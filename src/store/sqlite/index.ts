export { type FileLock, takeFileLock } from './file-lock.ts';
export { openSqliteStore } from './sqlite-store.ts';
