import type {
  HoldRequest,
  HoldSink,
  NativeCaller,
  NativeLockService,
} from '../../src/lock/native-lock-service';

/** Holds a lock. Resolves when the sink would be told of the end, and rejects with its error. */
export function holdUntilEnd(
  locks: NativeLockService,
  request: HoldRequest,
  caller: NativeCaller,
  sink: Omit<HoldSink, 'ended'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    locks.hold(request, caller, {
      get isWritable() {
        return sink.isWritable;
      },
      emit: (event) => {
        sink.emit(event);
      },
      ended: (error) => {
        if (error === undefined) resolve();
        else reject(error);
      },
    });
  });
}
