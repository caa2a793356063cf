import { runStoreContract } from '../store.contract.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';

runStoreContract('SQLite', async (test, clock) => (await makeDatabaseFolder(test, clock)).open);
