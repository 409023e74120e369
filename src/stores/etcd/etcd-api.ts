import path from 'node:path';

import { loadSync } from '@grpc/proto-loader';

/** The folder of the proto files when run from the sources. The bundle contains the file itself. */
const PROTO_DIR = path.join(__dirname, '..', '..', '..', 'proto');

/** Numbers of 64 bits are texts: a lease id does not fit in a number. */
const OPTIONS = { includeDirs: [PROTO_DIR], longs: String, enums: String, defaults: true };

/** Every answer begins with it. */
export interface Header {
  readonly clusterId: string;
  readonly revision: string;
}

/** A key at one revision. `lease` is 0 if the key has none. */
export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: string;
  readonly value: Buffer;
  readonly lease: string;
}

/** A read of a key, or of the keys before `rangeEnd`. */
export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

/** The keys of a range, in order. `more` is true if the limit has cut it short. */
export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: string;
}

/** One operation of a transaction. */
export type Operation =
  | { readonly requestRange: RangeRequest }
  | {
      readonly requestPut: {
        readonly key: Buffer;
        readonly value?: Buffer;
        readonly lease: string;
        readonly ignoreValue?: boolean;
      };
    }
  | { readonly requestDeleteRange: { readonly key: Buffer } };

/** A condition on a key or, with `rangeEnd`, on each key of a range. */
export type Compare = {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly result?: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
} & (
  | { readonly target: 'CREATE'; readonly createRevision: string }
  | { readonly target: 'LEASE'; readonly lease: string }
  | { readonly target: 'VALUE'; readonly value: Buffer }
);

/** If all conditions hold, `success` is run, and otherwise `failure`, at one revision. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

/** The answer to a transaction. */
export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeResponse }[];
}

/** A lease by its id. */
export interface LeaseRequest {
  readonly ID: string;
}

/** A new lease, of `TTL` seconds at least. */
export interface LeaseGrantRequest extends LeaseRequest {
  readonly TTL: number;
}

/** The length of a lease, or what is left of it, in whole seconds. -1 if there is no such lease. */
export interface LeaseResponse {
  readonly header: Header;
  readonly TTL: string;
}

/** Begins or ends a watch, whose id the client draws. */
export type WatchRequest =
  | {
      readonly createRequest: {
        readonly key: Buffer;
        readonly rangeEnd?: Buffer;
        readonly filters: readonly 'NOPUT'[];
        readonly watchId: string;
      };
    }
  | { readonly cancelRequest: { readonly watchId: string } };

/** A message of a watch: it begins, it ends, or there are events. */
export interface WatchResponse {
  readonly watchId: string;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly events: readonly object[];
}

/** A method of etcd's API with its codecs. */
export interface EtcdMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** The methods that are used. */
export interface EtcdApi {
  readonly range: EtcdMethod<RangeRequest, RangeResponse>;
  readonly txn: EtcdMethod<TxnRequest, TxnResponse>;
  readonly grantLease: EtcdMethod<LeaseGrantRequest, LeaseResponse>;
  readonly revokeLease: EtcdMethod<LeaseRequest, { readonly header: Header }>;
  readonly timeToLive: EtcdMethod<LeaseRequest, LeaseResponse>;
  /** A stream. */
  readonly keepLeaseAlive: EtcdMethod<LeaseRequest, LeaseResponse>;
  /** A stream. */
  readonly watch: EtcdMethod<WatchRequest, WatchResponse>;
  readonly authenticate: EtcdMethod<
    { readonly name: string; readonly password: string },
    { readonly token: string }
  >;
}

/** Loads the methods from proto/etcd/v3/etcd.proto. */
export function loadEtcdApi(): EtcdApi {
  const definitions = loadSync('etcd/v3/etcd.proto', OPTIONS);
  const method = <Request, Response>(service: string, name: string) => {
    const found = definitions[`etcdserverpb.${service}`];
    if (found === undefined || 'format' in found || found[name] === undefined) {
      throw new Error(`etcd.proto has no ${service}.${name}`);
    }
    // The types above say what the file says.
    return found[name] as unknown as EtcdMethod<Request, Response>;
  };
  return {
    range: method('KV', 'Range'),
    txn: method('KV', 'Txn'),
    grantLease: method('Lease', 'LeaseGrant'),
    revokeLease: method('Lease', 'LeaseRevoke'),
    timeToLive: method('Lease', 'LeaseTimeToLive'),
    keepLeaseAlive: method('Lease', 'LeaseKeepAlive'),
    watch: method('Watch', 'Watch'),
    authenticate: method('Auth', 'Authenticate'),
  };
}
