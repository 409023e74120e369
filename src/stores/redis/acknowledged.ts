import type { CancelSignal } from '../../base/cancellation';
import type { Attempt } from '../../lock/attempt';
import type { Attempts } from '../attempts/attempts';
import type { Command, TimeLimits, Verdict } from '../attempts/command';
import type { SendStamp } from '../attempts/send-log';
import type { RedisLink } from './redis-link';
import { REPLY } from './redis-script';
import type { Acknowledgement, ReplicaCounts } from './replica-counts';

/** A reply, and which servers have what it tells; undefined if that does not matter. */
interface Counted<Reply> {
  readonly reply: Reply;
  readonly acknowledged: Acknowledgement | undefined;
}

/**
 * Runs commands whose grants count only if enough replicas have them. If too few have, the command
 * fails as unavailable with an unknown outcome, so that its caller withdraws the attempt.
 */
export class AcknowledgedGrants implements Pick<Attempts<RedisLink>, 'run'> {
  readonly #attempts: Attempts<RedisLink>;
  readonly #counts: ReplicaCounts;

  /** @param attempts over links that serve nothing else: counting replicas blocks them */
  constructor(attempts: Attempts<RedisLink>, counts: ReplicaCounts) {
    this.#attempts = attempts;
    this.#counts = counts;
  }

  run<Reply, Answer>(
    command: Command<RedisLink, Reply, Answer>,
    limits: TimeLimits,
    signal: CancelSignal,
  ): Promise<Answer> {
    return this.#attempts.run(new Acknowledged(command, this.#counts), limits, signal);
  }
}

class Acknowledged<Reply, Answer> implements Command<RedisLink, Counted<Reply>, Answer> {
  readonly key: string;
  readonly attempt?: Attempt;
  readonly leaseMs?: number;
  readonly #command: Command<RedisLink, Reply, Answer>;
  readonly #counts: ReplicaCounts;

  constructor(command: Command<RedisLink, Reply, Answer>, counts: ReplicaCounts) {
    this.key = command.key;
    this.#command = command;
    this.#counts = counts;
    if (command.attempt !== undefined) this.attempt = command.attempt;
    if (command.leaseMs !== undefined) this.leaseMs = command.leaseMs;
  }

  send(link: RedisLink, stamp: SendStamp | undefined): Promise<Counted<Reply>> {
    return this.#command.send(link, stamp).then(async (reply) => {
      const acknowledged = isGrant(reply) ? await this.#counts.read(link) : undefined;
      return { reply, acknowledged };
    });
  }

  judge({ reply, acknowledged }: Counted<Reply>, sentAtMs: number): Verdict<Answer> {
    const failure = acknowledged && this.#counts.lack(acknowledged);
    if (failure !== undefined) throw failure;
    return this.#command.judge(reply, sentAtMs);
  }
}

/** True if a reply grants or extends a lease. All such replies have a token. */
function isGrant(reply: unknown): boolean {
  if (reply === REPLY.acquired) return true;
  return typeof reply === 'object' && reply !== null && 'fencingToken' in reply;
}
