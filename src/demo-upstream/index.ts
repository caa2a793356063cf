export { type DemoUpstreamOptions, type RunningDemoUpstream, startDemoUpstream } from './start-demo-upstream.ts';
