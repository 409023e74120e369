import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { describeLeases } from './leases';
import { describeLockStore } from './lock-store';
import { describeQueue } from './queue';
import { describeViews } from './views';

const createStore = () => createMemoryStore({ now: () => performance.now() });

describeLockStore('lock.in-memory', createStore);
describeLeases('lock.in-memory', createStore);
describeQueue('lock.in-memory', createStore);
describeViews('lock.in-memory', createStore);
