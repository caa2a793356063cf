export { type BoundEndpoint, bindEndpoint, type Endpoint } from './bind-endpoint.ts';
export { canHandDownSockets } from './bound-socket.ts';
export { type ChildChannel, type ChildRole, runUnderSupervisor } from './child-channel.ts';
export { type ChildCommand, FIRST_INHERITED_DESCRIPTOR } from './child-process.ts';
export { openDataFolder, settleDataFolder } from './data-folder.ts';
export { claimDataFolder, type InstanceLock, shareDataFolder } from './instance-lock.ts';
export type { ProcessEnd } from './messages.ts';
export { type RunAs, runAs } from './run-as.ts';
export { SupervisedChild } from './supervised-child.ts';
