export { estimateEntropyBits, WEAK_KEY_BITS } from './estimate-entropy.ts';
