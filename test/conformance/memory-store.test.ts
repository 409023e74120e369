import { createMemoryStore } from '../../src/stores/memory/memory-store';
import { describeLockStore } from './lock-store';

describeLockStore('lock.in-memory', () => createMemoryStore({ now: () => performance.now() }));
