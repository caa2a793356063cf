/** Is told what takes long while a store is opened, in a sentence for a log. */
export type ProgressListener = (message: string) => void;

/** Lists of fewer resources are there in a moment. */
export const MANY_RESOURCES = 10_000;

/** Says why opening a store takes long, where a group's lists are not those of its revision and it has many resources. */
export function tellOfLists(groupId: string, resources: number, onProgress: ProgressListener | undefined): void {
  if (resources < MANY_RESOURCES) return;
  onProgress?.(`bringing the lists of the gateway group "${groupId}" up to date, which takes up to a minute for 100,000 resources`);
}
