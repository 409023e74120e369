import { CLUSTER_MUTANTS } from './cluster-mutants';
import { ETCD_MUTANTS } from './etcd-mutants';
import type { Mutant } from './mutants';
import { POSTGRESQL_MUTANTS } from './postgresql-mutants';
import type { SuiteName, TestPlace } from './store-suites';

/** A mistake in the sources of a store other than one Redis. */
export interface StoreMutant extends Pick<Mutant, 'name' | 'changes'> {
  /** What is run first, so that not all is; the rest of the suite follows where it finds nothing. */
  readonly first: TestPlace;
}

/** The animals of each store. */
export const STORE_MUTANTS: Readonly<Record<SuiteName, readonly StoreMutant[]>> = {
  etcd: ETCD_MUTANTS,
  postgresql: POSTGRESQL_MUTANTS,
  cluster: CLUSTER_MUTANTS,
};
