import { describe } from 'node:test';
import { auditContract } from './contract/audit.contract.ts';
import { changeContract } from './contract/changes.contract.ts';
import { documentContract } from './contract/documents.contract.ts';
import type { MakeDatabase } from './contract/fresh-database.ts';
import { historyContract } from './contract/history.contract.ts';
import { keyContract } from './contract/keys.contract.ts';
import { listContract } from './contract/lists.contract.ts';
import { peopleContract } from './contract/people.contract.ts';
import { recordContract } from './contract/records.contract.ts';
import { resourceContract } from './contract/resources.contract.ts';
import { transactionContract } from './contract/transactions.contract.ts';
import { usageContract } from './contract/usage.contract.ts';

/** Runs what every driver of the store must hold to. `makeDatabase` makes an empty database for one test. */
export function runStoreContract(name: string, makeDatabase: MakeDatabase): void {
  describe(`the store contract on ${name}`, () => {
    documentContract(makeDatabase);
    resourceContract(makeDatabase);
    listContract(makeDatabase);
    transactionContract(makeDatabase);
    changeContract(makeDatabase);
    historyContract(makeDatabase);
    recordContract(makeDatabase);
    peopleContract(makeDatabase);
    auditContract(makeDatabase);
    usageContract(makeDatabase);
    keyContract(makeDatabase);
  });
}
