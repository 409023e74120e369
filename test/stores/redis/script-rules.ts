import {
  type InspectingClient,
  type RedisServer,
  startRedisServer,
} from '../../support/redis-server';
import { type Mutation, ScriptLab } from './script-lab';

/** A rule of the scripts, its proof, and what the scripts would be without it. */
export interface ScriptRule {
  readonly rule: string;
  /** Rejects where the rule does not hold. */
  readonly prove: (lab: ScriptLab) => Promise<void>;
  /** False on a server on which the situation can't arise. Then nothing is proved. */
  readonly canArise?: (client: InspectingClient) => Promise<boolean>;
  /** A script without the rule: the proof has to reject. Several are tried one at a time. */
  readonly without?: readonly Mutation[];
}

const always = (): Promise<boolean> => Promise.resolve(true);

/** Proves rules on a real Redis, and that each proof would notice: without its rule it fails. */
export function describeRules(subject: string, rules: readonly ScriptRule[]): void {
  describe(subject, () => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await startRedisServer();
    });
    afterAll(() => redis.stop());
    afterEach(() => redis.inspect((client) => client.flushAll()));

    describe.each(rules)('$rule', ({ prove, canArise = always, without = [] }) => {
      it('holds', () =>
        redis.inspect(async (client) => {
          if (await canArise(client)) await prove(new ScriptLab(client));
        }));

      if (without.length > 0) {
        it.each(without)('is missed where "$piece" is "$by"', (mutation) =>
          redis.inspect(async (client) => {
            const lab = new ScriptLab(client, mutation);
            if (await canArise(client)) await expect(prove(lab)).rejects.toThrow();
          }),
        );
      }
    });
  });
}
