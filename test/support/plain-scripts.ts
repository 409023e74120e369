import { toAcquireScript, toRenewScript } from '../../src/stores/redis/lease-scripts';
import { toAskScript, toOpenScript, toRefreshScript } from '../../src/stores/redis/queue-scripts';
import { toReleaseScript, toWithdrawScript } from '../../src/stores/redis/release-scripts';
import { PLAIN_SPELLING } from '../../src/stores/redis/side-keys';
import { toViewScript } from '../../src/stores/redis/view-scripts';

/** The scripts as a store on one Redis runs them. */
export const acquireScript = toAcquireScript(PLAIN_SPELLING);
export const askScript = toAskScript(PLAIN_SPELLING);
export const openScript = toOpenScript(PLAIN_SPELLING);
export const refreshScript = toRefreshScript(PLAIN_SPELLING);
export const releaseScript = toReleaseScript(PLAIN_SPELLING);
export const renewScript = toRenewScript(PLAIN_SPELLING);
export const viewScript = toViewScript(PLAIN_SPELLING);
export const withdrawScript = toWithdrawScript(PLAIN_SPELLING);
